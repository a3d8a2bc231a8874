"""What an auditor is given: the entries as they are kept, and the proofs that they are in the ledger."""
