"""Rating segmentations, one after the other."""
