"""Who is who and who may what: accounts, sessions, tokens, roles, and the table of what each route needs."""
