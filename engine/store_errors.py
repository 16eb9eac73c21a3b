"""What the store raises, as the engine's own errors."""

from __future__ import annotations

from types import TracebackType

from ..models import AlreadyUsed, InDoubt, NoKeyFits, NotStorable, StoreClosed, StoreError
from .errors import EngineClosed, OutcomeUnknown, StoreUnavailable
from .jsontext import not_storable

UNSTORABLE = (NotStorable, UnicodeEncodeError)
"""How drivers refuse a text that cannot be stored: the one for NUL, the other for half of a surrogate pair."""


class engine_errors:
    """A context in which what the store raises becomes an error of the engine; AlreadyUsed is left to its callers."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, StoreClosed):
            raise EngineClosed(f"The engine is closed: {error}.") from error
        if isinstance(error, InDoubt):
            raise OutcomeUnknown from error
        if isinstance(error, UNSTORABLE):
            raise not_storable("text") from error
        if isinstance(error, NoKeyFits):
            raise StoreUnavailable(f"The database cannot be read: {error}") from error
        if isinstance(error, StoreError) and not isinstance(error, AlreadyUsed):
            raise StoreUnavailable(f"The database does not answer: {error}") from error
