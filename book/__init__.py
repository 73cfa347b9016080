"""What the book adds to jupyter-book, and tools to look at it."""
