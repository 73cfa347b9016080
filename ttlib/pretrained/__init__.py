"""Trained weights: our own that ship with the package, and published ones in our modules."""
