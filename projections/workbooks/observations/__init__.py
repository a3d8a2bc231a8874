"""Observations as a workbook: the template of a year, and a filled-in workbook read, checked and recorded."""
