"""How far a compensation is that one token has asked for: what waits for what, without a search through all of it.

It is found again from what the token keeps, so none of this is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .token import Token
    from .token_data import Compensable


class Uncompensated:
    """The entries that are still to be compensated, and which of them nothing of the same compensation holds up."""

    __slots__ = ("_free", "_held", "_places", "_put_off", "left")

    def __init__(self, asker: Token) -> None:
        internal = asker.internal_data
        left, handling = internal["undoing"], internal["handling"]
        if isinstance(left, list):
            # So did earlier versions keep them.
            left = internal["undoing"] = {str(entry["id"]): entry for entry in left}
        if isinstance(handling, list):
            handling = internal["handling"] = {str(each["id"]): each["after"] for each in handling}
        self.left = left
        """By their ids, in the order in which they are remembered; what the asker keeps."""
        self._places: dict[str, int] = {}
        self._held: dict[int, int] = {}
        """By entry how many that are not compensated yet came after it."""
        self._free: set[str] = set()
        self._put_off: set[str] = set()
        for after in handling.values():
            self.hold(after)
        self._note(left.values())

    def add(self, entries: Iterable[Compensable]) -> None:
        """More is to be compensated, remembered behind all that there is."""
        added = list(entries)
        self.left.update((str(entry["id"]), entry) for entry in added)
        self._note(added)

    def _note(self, entries: Iterable[Compensable]) -> None:
        for entry in entries:
            self._places[str(entry["id"])] = len(self._places)
            self.hold(entry["after"])
        self._free.update(str(entry["id"]) for entry in entries if not self._held.get(entry["id"]))

    def hold(self, after: Sequence[int]) -> None:
        """These entries wait for one that came after them."""
        for before in after:
            self._held[before] = self._held.get(before, 0) + 1

    def release(self, after: Sequence[int]) -> None:
        """One that came after these entries holds them up no more."""
        for before in after:
            self._held[before] -= 1
            if not self._held[before] and str(before) in self.left:
                self._free.add(str(before))

    def take_free(self) -> list[Compensable]:
        """What nothing holds up any more and nobody has put off, the last first."""
        free = [key for key in self._free if key in self.left and not self._held.get(int(key))]
        self._free.clear()
        return [self.left[key] for key in sorted(free, key=self._places.__getitem__, reverse=True)]

    def put_off(self, entry: Compensable) -> None:
        """Others hold an entry up: it is not looked at before :meth:`look_again`."""
        self._put_off.add(str(entry["id"]))

    def look_again(self) -> None:
        """What was put off may be free by now."""
        self._free |= self._put_off
        self._put_off.clear()
