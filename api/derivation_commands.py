"""Commands that show how a total came about."""
