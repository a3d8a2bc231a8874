"""Answers to questions about a year: derivations, what-ifs, revised replays."""
