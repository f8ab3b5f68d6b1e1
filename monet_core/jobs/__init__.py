"""Long work: typed events, cancellation, run folders."""
