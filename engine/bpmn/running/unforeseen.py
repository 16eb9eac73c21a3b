"""What nobody foresaw while a token was run: the turn is done once more, and the token stands still in place of that.

What such an error leaves behind in memory is anybody's guess, so nothing of the turn is kept. The second time it goes
as before up to the same place, which the ids of tokens tell, since they count up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ....models import NotStorable, StoreError
from ...errors import RiverstoneError

if TYPE_CHECKING:
    from .token import Token
    from .workflow import Workflow

Place = tuple[int, int]
"""Where a workflow was about to run a token: the token, and the one that would have been next."""


class Unforeseen(Exception):
    """Thrown out of a turn; its cause is the error itself."""

    def __init__(self, token: Token, place: Place) -> None:
        super().__init__(place)
        self.workflow: Workflow = token.workflow
        self.place = place
        self.element = token.node.label


def is_unforeseen(error: BaseException) -> bool:
    """Whether it is a defect: no error of the engine's own, of the database or of the machine."""
    if isinstance(error, NotStorable):
        return True
    return isinstance(error, Exception) and not isinstance(error, (RiverstoneError, StoreError, MemoryError))


def throw_out(token: Token, place: Place, error: Exception) -> NoReturn:
    """Let it leave the turn, and tell by which token; what is no defect, or is told already, leaves as it is."""
    if isinstance(error, Unforeseen) or not is_unforeseen(error):
        raise error
    raise Unforeseen(token, place) from error
