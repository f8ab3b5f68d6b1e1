"""`python -m monet_core.cli` is `monet`."""

from monet_core.cli.main import run

run()
