"""Proof bundles: one file that proves a unit's score to somebody who trusts neither the office nor its operator."""
