"""Commands that help to write a scheme file."""
