"""The console: pages in which people see, start and steer processes."""

from .pages import create_console

__all__ = ["create_console"]
