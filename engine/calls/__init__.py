"""The engine's calls, grouped by what they are about."""

from .models import ModelCalls
from .operating import OperatingCalls
from .processes import ProcessCalls
from .undo import UndoCalls

__all__ = ["ModelCalls", "OperatingCalls", "ProcessCalls", "UndoCalls"]
