"""The atlas's regions as a tree."""
