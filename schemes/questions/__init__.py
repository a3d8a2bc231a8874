"""What would be if: suppositions, smallest sets, and which change of a scheme causes how much."""
