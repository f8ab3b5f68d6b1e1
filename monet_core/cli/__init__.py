"""The command line, `monet`."""
