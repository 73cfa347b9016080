"""ttlib: the tested transformer package behind the book *The Executable Transformer*."""

__version__ = "0.1.0"
