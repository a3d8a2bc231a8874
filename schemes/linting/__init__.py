"""Findings about a scheme that can be used and yet may not say what its document means."""
