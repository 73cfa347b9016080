"""Writing: one loop for all models; greedy search, sampling, beam search; scores."""
