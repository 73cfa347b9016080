"""Training: loss, optimiser, schedule, loop, checkpoints, several processes."""
