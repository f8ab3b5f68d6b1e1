"""The desktop application (not built yet: the engine comes first)."""
