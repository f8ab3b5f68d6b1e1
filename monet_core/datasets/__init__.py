"""Folders of scans: finding them, and the integrity report before training."""
