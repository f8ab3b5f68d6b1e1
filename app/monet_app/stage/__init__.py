"""The stage: the views of a scan with its segmentations, behind one small protocol."""
