"""Segmentations of one scan beside each other."""
