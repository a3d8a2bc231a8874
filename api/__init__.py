"""The edges: HTTP, the command line, and the demonstration. Each reads its input and calls one service."""
