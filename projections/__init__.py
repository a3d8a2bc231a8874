"""Projections: what the ledger's facts mean under a scheme, for any day and as known at any moment."""
