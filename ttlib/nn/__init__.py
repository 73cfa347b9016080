"""Building blocks: masks, attention, positions, norms, feed-forward, blocks. One idea per file."""
