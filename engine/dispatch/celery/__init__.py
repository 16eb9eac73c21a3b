"""Beyond one machine: engines hand tasks to Celery workers, and hear from them. The only part that imports Celery."""

from .app import make_app
from .dispatcher import CeleryDispatcher
from .worker import run, set_up

__all__ = ["CeleryDispatcher", "make_app", "run", "set_up"]
