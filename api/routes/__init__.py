"""The routes of the HTTP application, by what they are about."""
