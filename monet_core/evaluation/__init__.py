"""Dice, surface distances, volumes; comparison of segmentations; figures."""
