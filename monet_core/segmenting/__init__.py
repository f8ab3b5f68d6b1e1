"""Segmentation of scans with a model: tiles, label maps on the scan grid, volumes."""
