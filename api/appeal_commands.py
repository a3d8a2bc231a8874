"""Commands about appeals and claims, and about closing a year."""
