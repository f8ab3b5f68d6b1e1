"""Label protocols (atlases): regions, classes, mappings between protocols."""
