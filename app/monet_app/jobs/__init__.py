"""The dock of long work."""
