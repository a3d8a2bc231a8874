"""One module for each version of the schema, the oldest first."""
