"""A client of a riverstone server (extra ``riverstone[client]``)."""

from .client import Client

__all__ = ["Client"]
