"""The first screen: what one can do before anything is open."""
