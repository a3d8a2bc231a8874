"""fsck: a ledger re-read from its bytes, and everything that is kept beside them held against what they say."""
