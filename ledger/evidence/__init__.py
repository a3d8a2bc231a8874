"""Files that entries rest on: encrypted, named by salted commitments, erasable by law."""
