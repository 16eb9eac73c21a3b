"""Places at which a process can be made to die, so that tests see whether the next one goes on as if nothing had been.

Each stands beside something that lasts: a commit, a hand-over, a call of a hook, an answer. They do nothing until
``RIVERSTONE_FAILPOINT`` or :func:`kill_at` or :func:`tell` switches them on.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Final

from ..models.commit import changes
from .errors import Invalid

VARIABLE: Final = "RIVERSTONE_FAILPOINT"
"""The environment variable that is read when this module is imported: ``name`` or ``name:passing``."""

PLACES: Final = {
    "announced": "the engine has a row in the store, and has taken over nothing yet",
    "before-takeover": "a dead engine was found and still holds its tasks",
    "after-takeover": "the tasks of a dead engine are free",
    "before-claim": "tasks that are due may be nobody's",
    "after-claim": "what was due and nobody's is this engine's, and it has handed over none of it",
    "before-deployment": "a model is checked and has no version yet",
    "after-deployment": "the version is stored and its id not told",
    "before-step": "an event was taken out of the inbox",
    "undo-created": "a rollback, cancel or delete exists in memory alone",
    "undo-ended": "the last task of an undo is done, and its origin not told in the store",
    "before-commit": "a turn is stepped in memory alone",
    "within-commit": "all of a turn is written and not committed",
    "after-commit": "a turn is durable and nobody knows",
    "before-handover": "those who asked were answered, and nothing is handed over",
    "after-handover": "the dispatcher has its tasks",
    "message-pending": "a thrown message or signal is durable and on its way to nobody",
    "before-delivery": "a thrown message or signal was taken up",
    "after-delivery": "a thrown message or signal has reached whom it is for",
    "due": "something that is due was found",
    "before-hook": "a stone is about to be called",
    "before-save": "a start wants something kept, and nobody has been told",
    "after-save": "what a start wanted kept is durable, and it goes on",
    "after-hook": "a stone has done its work and told nobody",
    "before-report": "the outcome of a hook is known to the dispatcher alone",
    "after-report": "the outcome of a hook is with the engine",
    "before-purge": "process instances may go, and all of their rows are there",
    "after-purge": "process instances are gone, and the rows of long ledgers may be there",
    "before-sign-off": "an engine closes and still holds its tasks",
    "after-sign-off": "an engine has let go of its tasks",
}

_on_passing: Callable[[str], None] | None = None


def names() -> tuple[str, ...]:
    """Every place, in the order in which an engine comes to them."""
    return tuple(PLACES)


def reach(name: str) -> None:
    """The process is at this place: nothing, unless somebody waits for it there."""
    if _on_passing is not None:
        _on_passing(name)


def kill_at(name: str, passing: int = 1) -> None:
    """Kill this process, as a power cut would, when it comes to the place for the ``passing``-th time.

    Raises Invalid for a place that does not exist.
    """
    if name not in PLACES:
        raise Invalid(f"There is no failpoint {name!r}: use one of {', '.join(PLACES)}.", code="failpoint")
    passed: Counter[str] = Counter()

    def die(reached: str) -> None:
        passed[reached] += 1
        if reached == name and passed[reached] == passing:
            os.kill(os.getpid(), signal.SIGKILL)

    tell(die)


def tell(on_passing: Callable[[str], None] | None) -> None:
    """Call this at every place from now on, with its name, in whatever thread comes to it; None switches it off."""
    global _on_passing
    _on_passing = on_passing
    # The store knows nothing of the engine, so it is told what to call.
    changes.on_written = None if on_passing is None else lambda: reach("within-commit")


def _read_environment() -> None:
    wanted = os.environ.get(VARIABLE)
    if wanted:
        name, _, passing = wanted.partition(":")
        if not passing.isdigit() and passing:
            raise Invalid(f"{VARIABLE} is {wanted!r}: write it as name or name:passing.", code="failpoint")
        kill_at(name, int(passing or 1))


_read_environment()
