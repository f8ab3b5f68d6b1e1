"""Long work in a process of its own: `python -m monet_core.worker FOLDER` runs the job there."""
