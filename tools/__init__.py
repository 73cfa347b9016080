"""Commands for people who change the book: ``python -m tools.notebooks --help``."""
