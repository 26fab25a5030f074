"""The training loop on Lightning: steps, checkpoints, resume, metrics."""
