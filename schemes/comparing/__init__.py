"""What differs between two versions of a scheme, change by change."""
