"""Schemes: a year's scoring rules as data, and the pure engine that turns facts into scores.

Nothing in this package reads a clock, a file or a database: text and values come in, values go out.
"""
