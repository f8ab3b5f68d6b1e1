"""Both training stages: patches, augmentation, the loop, checkpoints, recipes."""
