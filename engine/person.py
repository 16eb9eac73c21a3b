"""Who does a task of people."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_NAME = 255
MOST_GROUPS = 500


def is_person(name: str) -> bool:
    """Whether a text can name a user or a group: as it is told, since many name people by addresses or with blanks."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody who looks at tasks of people and does them, as far as the server knows.

    ``owner`` is the only one whose processes are seen as a whole; None sees none of them, or with ``sees_all`` all.
    """

    user: str
    """As models name assignees and candidates, and as histories tell it."""
    groups: frozenset[str] = frozenset()
    owner: str | None = None
    sees_all: bool = False
    is_admin: bool = False
    """Whether tasks of processes that are seen can be assigned and done whoever may take them."""
    is_program: bool = False
    """Whether it is nobody in particular, such as a program of the owner's: it may do what an admin may."""

    def sees(self, owner: str | None) -> bool:
        """Whether the processes of an owner (None: nobody's) are seen as a whole."""
        return self.sees_all or (owner is not None and owner == self.owner)
