"""Functions that do nothing when they are called: coroutine functions and generators."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from .errors import Invalid

_MEND = "make it a plain 'def', and run what is asynchronous inside with asyncio.run(...)"


def refuse_coroutine(function: Callable[..., Any], called: str) -> None:
    """Raise Invalid for a function whose call would only make something to be awaited or iterated.

    Nobody does that, so the call would succeed and nothing would have run. ``called`` names it in the error.
    """
    while isinstance(function, partial):
        function = function.func
    call = vars(type(function)).get("__call__", function)
    for each in (function, call):
        if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each):
            raise Invalid(f"{called} is an 'async def', which would never run: {_MEND}.", code="never-run")
        if inspect.isgeneratorfunction(each):
            text = f"{called} is a generator (it has a 'yield'), which would never run: return instead of yielding."
            raise Invalid(text, code="never-run")


def refuse_unrun(returned: object, called: str) -> None:
    """Raise Invalid for a result that has still to be awaited or iterated, so that nothing has run yet."""
    if not (inspect.isawaitable(returned) or inspect.isgenerator(returned) or inspect.isasyncgen(returned)):
        return
    if inspect.iscoroutine(returned) or inspect.isgenerator(returned):
        returned.close()
    kind = type(returned).__name__
    raise Invalid(f"{called} returned a {kind}, which nobody runs: {_MEND}.", code="never-run")
