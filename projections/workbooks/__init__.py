"""A scheme as a workbook, and back."""
