"""All built-in functions by name."""

from __future__ import annotations

from collections.abc import Mapping

from . import contexts, conversion, dates, lists, numeric, ranges, text
from .signature import BUILTINS, Builtin

FUNCTIONS: Mapping[str, Builtin] = BUILTINS
MODULES = (conversion, numeric, text, lists, contexts, dates, ranges)
"""What declares them, in the order in which the documents go through them."""
