"""Scans painted from label maps."""
