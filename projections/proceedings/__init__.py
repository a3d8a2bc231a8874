"""Appeals and claims, their terms and dossiers; the closing of years."""
