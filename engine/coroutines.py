"""Functions that do nothing when they are called: coroutine functions and generators."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType
from typing import Any

from .errors import Invalid

PLAIN = "make it a plain 'def', and run what is asynchronous inside with asyncio.run(...)"
AWAITED = "make it an 'async def', which the engine awaits"


def is_coroutine(function: Callable[..., Any]) -> bool:
    """Whether its call makes a coroutine, which has to be awaited."""
    if type(function) is FunctionType and not vars(function):
        # Only its code tells, as of nearly every hook; each task asks.
        return bool(function.__code__.co_flags & inspect.CO_COROUTINE)
    return any(inspect.iscoroutinefunction(each) for each in _called(function))


def refuse_generator(function: Callable[..., Any], called: str) -> None:
    """Raise Invalid for a function whose call would only make something to be iterated, which nobody does.

    So the call would succeed and nothing would have run. ``called`` names it in the error.
    """
    for each in _called(function):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            text = f"{called} is a generator (it has a 'yield'), which would never run: return instead of yielding."
            raise Invalid(text, code="never-run")


def refuse_coroutine(function: Callable[..., Any], called: str) -> None:
    """Raise Invalid for coroutine functions too, where nobody awaits them."""
    refuse_generator(function, called)
    if is_coroutine(function):
        raise Invalid(f"{called} is an 'async def', which would never run: {PLAIN}.", code="never-run")


def refuse_unrun(returned: object, called: str) -> None:
    """Raise Invalid for a result that has still to be awaited or iterated, so that nothing has run yet."""
    if not (inspect.isawaitable(returned) or inspect.isgenerator(returned) or inspect.isasyncgen(returned)):
        return
    if inspect.iscoroutine(returned) or inspect.isgenerator(returned):
        returned.close()
    kind = type(returned).__name__
    raise Invalid(f"{called} returned a {kind}, which nobody runs: {AWAITED}.", code="never-run")


def _called(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The function that is called in the end, by whatever it is given."""
    while isinstance(function, partial):
        function = function.func
    yield function
    call = vars(type(function)).get("__call__")
    if call is not None:
        yield call
