"""Which names are in scope, and which of them a text means: the longest (DMN 1.5, 10.3.1.2).

Names hold spaces and signs. A closed scope declares all of its names, so that the text alone decides. An open scope is
known only when an expression is evaluated: the variables of a process, the members of an item that is filtered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .lexer import Lexeme, pieces
from .places import Misread

JOINING = frozenset("-+*/'")
"""Signs that a name may hold where no space is beside them."""
STOPS = frozenset({"and", "or", "in", "instance", "between", "then", "else", "return", "satisfies"})
"""Words that end a name which nobody has declared."""
_MOST_JOINED = 8
"""Parts of a name that nobody has declared."""
_END = "\n"


class DeclaredNames:
    """Declared names, found in a text from their beginning."""

    __slots__ = ("_tree", "all")

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._tree: dict[str, Any] = {}
        self.all: set[str] = set()
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Declare a name; one that no text could spell can still be written in backticks."""
        self.all.add(name)
        try:
            found = pieces(name)
        except Misread:
            return
        branch = self._tree
        for piece in found:
            branch = branch.setdefault(piece, {})
        if found:
            branch[_END] = name

    def longest(self, tokens: Sequence[Lexeme], at: int) -> tuple[int, str]:
        """Where the longest name that begins at a token ends, and how it was declared; ``at`` itself if none does."""
        branch = self._tree.get(tokens[at].text)
        found = (at, "")
        while branch is not None:
            at += 1
            if _END in branch:
                found = (at, branch[_END])
            token = tokens[at]
            spaced = token.start > tokens[at - 1].end
            branch = branch.get(f" {token.text}" if spaced else token.text)
        return found


class Scope(NamedTuple):
    """Names of one level; what is not declared may still be there if the scope is open."""

    names: DeclaredNames
    is_open: bool = False


NOTHING = DeclaredNames()


def words_end(tokens: Sequence[Lexeme], at: int) -> int:
    """Where the words end that begin at a token and belong together because nothing stands between them."""
    at += 1
    while tokens[at].kind in ("name", "part", "number") and tokens[at].text not in STOPS:
        if tokens[at].start == tokens[at - 1].end:
            break
        at += 1
    return at


def signed_ends(tokens: Sequence[Lexeme], end: int) -> list[int]:
    """Where longer names would end that go on after ``end`` with a sign and more words, the shortest first.

    What could not be anything but a part of a name leaves no shorter choice.
    """
    ends = [end]
    while len(ends) < _MOST_JOINED and tokens[end].text in JOINING and tokens[end].kind == "sign":
        following = tokens[end + 1]
        if tokens[end - 1].end != tokens[end].start or tokens[end].end != following.start:
            break
        if following.kind not in ("name", "part", "number") or following.text in STOPS:
            break
        end = words_end(tokens, end + 1)
        if following.kind == "part":
            ends.clear()
        ends.append(end)
    return ends


def spelled(tokens: Sequence[Lexeme], begin: int, end: int) -> str:
    """The name that tokens spell, with one space wherever there is any between them."""
    name = tokens[begin].text
    for place in range(begin + 1, end):
        gap = " " if tokens[place].start > tokens[place - 1].end else ""
        name += gap + tokens[place].text
    return name


def names_of(declared: Mapping[str, Any] | Iterable[str]) -> Scope:
    """A closed scope of these names."""
    return Scope(DeclaredNames(declared))
