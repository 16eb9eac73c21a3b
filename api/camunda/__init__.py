"""The interfaces of Camunda 7 and 8 for workers, modelers and callers that were written for those engines."""

from .blueprint import create_camunda

__all__ = ["create_camunda"]
