"""Real corpora (descriptions, verified files, records) and the batches made from them."""
