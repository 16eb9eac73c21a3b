"""Access keys: random secrets by which clients are known, with what each may do."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import secrets
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from ...models import AccessRecords, AlreadyUsed, KeyRow, Store
from ..arguments import Checked
from ..clock import Clock, moment
from ..errors import Conflict, Invalid, Unknown
from ..person import MOST_GROUPS, is_person
from ..store_errors import engine_errors

Scope: TypeAlias = Literal["read", "run", "deploy", "work", "admin", "secrets"]
"""``read`` looks, ``run`` starts and steers processes, ``deploy`` changes models, ``work`` carries out its topics
over HTTP, ``admin`` may do all but the last and sees all, ``secrets`` reads secret outputs in clear."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
NONE_HOLDS = 0.1
"""Seconds for which it is relied on that there is no key; other processes add some too."""
PREFIX = "rsk"
LONGEST_NAME = 100
_FORM = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]*")


class UnknownKey(Unknown):
    """No valid key has this id or name."""

    code = "unknown-key"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier, f"No valid key has the id or name {identifier!r}: list the keys.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key without its secret."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    owner: str | None
    """Whose process instances it starts and sees; None sees all."""
    created: datetime
    revoked: datetime | None = None
    topics: tuple[str, ...] = ()
    """What it may fetch with the scope ``work``; ``*`` in it stands for anything."""
    user: str | None = None
    """The person who has it, by whom people's tasks are claimed and done; None if it is nobody's in particular."""
    groups: tuple[str, ...] = ()
    """The groups of that person."""


class Keys(Checked):
    """The access keys of one store.

    A secret has 256 random bits, so one SHA-256 is as good as a slow hash: there is nothing to guess.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.records = AccessRecords(store)
        self.clock = clock
        self._exist = False
        self._looked = -math.inf
        self._asking = threading.Lock()

    def exist(self) -> bool:
        """Whether any key was ever added; revoking the last one does not open what it closed."""
        if not self._is_known():
            # One thread asks for all that want to know at this moment; where no answer comes, each for itself.
            is_first = self._asking.acquire(timeout=NONE_HOLDS)
            try:
                if not self._is_known():
                    now = time.monotonic()
                    with engine_errors():
                        self._exist = self.records.has_keys()
                    self._looked = now
            finally:
                if is_first:
                    self._asking.release()
        return self._exist

    def _is_known(self) -> bool:
        return self._exist or time.monotonic() - self._looked <= NONE_HOLDS

    def add(
        self,
        name: str,
        *,
        scopes: Collection[str],
        owner: str | None = None,
        every_owner: bool = False,
        topics: Collection[str] = (),
        user: str | None = None,
        groups: Collection[str] = (),
    ) -> tuple[Key, str]:
        """A new key and its text, which is shown this once and kept nowhere.

        It starts and sees the process instances of ``owner``, which is ``key:NAME`` unless said otherwise, or with
        ``every_owner`` those of all. With the scope ``work`` it fetches ``topics``, such as ``mail.*``, and those of
        their undo; without any it fetches nothing. Whoever has it is ``user`` to people's tasks, and in ``groups``.
        Raises Invalid, Conflict for a name that is taken.
        """
        if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            text = f"Use 1 to {LONGEST_NAME} letters, digits and . _ : @ - for the name of a key, not {name[:100]!r}."
            raise Invalid(text, code="key-name")
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            text = f"Give a key one or more of the scopes {', '.join(SCOPES)}"
            raise Invalid(f"{text}, not {', '.join(unknown) or 'none'}.", code="key-scopes")
        if owner is not None and (every_owner or not _NAME.fullmatch(owner) or len(owner) > 255):
            raise Invalid(f"The owner {owner[:100]!r} is no name, or is given with every owner.", code="key-owner")
        wrong = [topic for topic in topics if not 0 < len(topic) <= 255 or not topic.isprintable() or " " in topic]
        if wrong or (topics and "work" not in scopes):
            text = "Topics are for keys with the scope work, and hold 1 to 255 printable characters without blanks"
            raise Invalid(f"{text}: {', '.join(repr(topic[:100]) for topic in wrong or topics)}.", code="key-topics")
        unfit = [name for name in (*(() if user is None else (user,)), *groups) if not is_person(name)]
        if unfit or len(groups) > MOST_GROUPS:
            text = f"Users and groups are 1 to 255 printable characters, no blanks around, {MOST_GROUPS} groups at most"
            raise Invalid(f"{text}: {', '.join(repr(name[:100]) for name in unfit) or len(groups)}.", code="key-user")
        secret = secrets.token_urlsafe(32)
        row = KeyRow(
            id=secrets.token_hex(6),
            name=name,
            digest=digest_of(secret),
            scopes=" ".join(scope for scope in SCOPES if scope in scopes),
            owner_name=None if every_owner or (owner is None and "admin" in scopes) else owner or f"key:{name}",
            created=self.clock.now(),
            topics=" ".join(topics) or None,
            user_name=user,
            user_groups=json.dumps(sorted(set(groups)), ensure_ascii=False) if groups else None,
        )
        try:
            with engine_errors():
                self.records.add_key(row)
            self._exist = True
        except AlreadyUsed as error:
            raise Conflict(f"A key named {name!r} is there already: use another name.", code="key-exists") from error
        return _view(row), f"{PREFIX}_{row.id}_{secret}"

    def all(self) -> list[Key]:
        """Every key, revoked ones too, the oldest first."""
        with engine_errors():
            return [_view(row) for row in self.records.all_keys()]

    def revoke(self, identifier: str) -> Key:
        """Make the key with this id or name worthless from now on; raises UnknownKey."""
        found = [key for key in self.all() if identifier in (key.key_id, key.name) and key.revoked is None]
        with engine_errors():
            if not found or not self.records.revoke_key(found[0].key_id, self.clock.now()):
                raise UnknownKey(identifier[:100])
        return found[0]

    def find(self, text: str) -> Key | None:
        """The valid key that this is the text of; compared in a time that tells nothing of how far it fits."""
        form = _FORM.fullmatch(text)
        if form is None:
            return None
        with engine_errors():
            row = self.records.key(form[1])
        right = hmac.compare_digest(digest_of(form[2]), row.digest if row is not None else NO_DIGEST)
        return _view(row) if row is not None and right and row.revoked is None else None


def is_key(text: str) -> bool:
    """Whether a credential looks like a key, not like some other server's token."""
    return text.startswith(f"{PREFIX}_")


def key_id_of(text: str) -> str | None:
    """Which key a text claims to be of, valid or not; None where it has not the form of one."""
    form = _FORM.fullmatch(text)
    return None if form is None else form[1]


def digest_of(secret: str) -> str:
    """What is kept of a secret, which is too random to be guessed from it."""
    return hashlib.sha256(secret.encode()).hexdigest()


NO_DIGEST = digest_of("")
"""What is compared where there is no row, so that it takes as long."""


def _view(row: KeyRow) -> Key:
    return Key(
        key_id=row.id,
        name=row.name,
        scopes=tuple(row.scopes.split()),
        owner=row.owner_name,
        created=moment(row.created),
        revoked=moment(row.revoked),
        topics=tuple((row.topics or "").split()),
        user=row.user_name,
        groups=tuple(json.loads(row.user_groups or "[]")),
    )
