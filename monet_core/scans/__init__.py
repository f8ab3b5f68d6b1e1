"""Scans and label maps: reading, the input gate, geometry, writing."""
