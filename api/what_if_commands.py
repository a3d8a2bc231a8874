"""Commands that ask what would be if."""
