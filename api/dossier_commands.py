"""Commands that write the answer to an appeal as a set of files."""
