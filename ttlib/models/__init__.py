"""Whole models, assembled from ``ttlib.nn``."""
