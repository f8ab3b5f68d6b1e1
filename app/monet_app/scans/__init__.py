"""The study's scans as a table."""
