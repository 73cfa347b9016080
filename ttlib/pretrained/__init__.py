"""Trained weights: our own that ship with the package."""
