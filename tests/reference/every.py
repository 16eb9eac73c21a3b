"""What writes each block."""

from __future__ import annotations

from collections.abc import Callable

from .bounds import bounds
from .calls import calls, schemas
from .codes import problem_codes
from .commands import commands
from .findings import findings
from .functions import functions, methods
from .limits import limits
from .metrics import metrics
from .places import places
from .public import public
from .vendors import harmless, not_yet_used

BLOCKS: dict[str, Callable[[], str]] = {
    "bounds": bounds,
    "calls": calls,
    "commands": commands,
    "findings": findings,
    "functions": functions,
    "harmless": harmless,
    "limits": limits,
    "methods": methods,
    "metrics": metrics,
    "not-yet-used": not_yet_used,
    "places": places,
    "problem-codes": problem_codes,
    "public": public,
    "schemas": schemas,
}
