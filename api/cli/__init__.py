"""The command line ``riverstone``."""

from .main import main

__all__ = ["main"]
