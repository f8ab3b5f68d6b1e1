"""A lab's own atlas: import, mapping, painting, corrections."""
