"""Speed and memory, measured: `python -m tests.bench` prints one table. No test depends on a time."""
