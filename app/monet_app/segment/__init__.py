"""Segmenting scans with a model."""
