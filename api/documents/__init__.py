"""Official documents (公文): one neutral model (`blocks`), written as Word (`word`) and as PDF (`pdf`)."""
