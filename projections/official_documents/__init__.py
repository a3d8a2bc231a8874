"""The official document of a scheme version: its pages, and where clauses stand in it."""
