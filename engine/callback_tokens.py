"""Tokens by which somebody outside tells what came of a task that was handed to them.

A token is an HMAC-SHA256 over a secret of the store, the task and its generation, so it can be made again for each
delivery, nothing is kept of it, and one that is forged is refused without asking the store. After a rotation tasks that
are older keep the secret that they began with.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from base64 import urlsafe_b64encode

from ..models import Store, StoreError, TokenSecretRow, TokenSecrets

PREFIX = "rst"
KNOWN_FOR = 5.0
"""Seconds for which an engine relies on the secrets that it knows; after a rotation others may use the old one."""
_SLACK = 60_000
"""Milliseconds after a rotation for which tasks may still have begun with the secret before."""
_TOKEN = re.compile(rf"{PREFIX}_([0-9]{{1,18}})_([0-9]{{1,9}})_([A-Za-z0-9_-]{{43}})")


def hidden(text: str) -> str:
    """The text with all tokens made worthless."""
    return _TOKEN.sub(rf"{PREFIX}_\1_\2_*****", text) if f"{PREFIX}_" in text else text


def secret_part(token: str) -> str:
    """What of a token must stay hidden; ``_`` is one of its signs, so the token cannot be split at the last one."""
    return token.split("_", 3)[3]


class CallbackTokens:
    """Those of one store; ``public_url`` is where the server's callbacks are reached from outside."""

    def __init__(self, store: Store, public_url: str | None = None) -> None:
        self.public_url = public_url.rstrip("/") if public_url else None
        self._secrets = TokenSecrets(store)
        self._known: list[TokenSecretRow] = []
        self._known_since = 0.0

    def token_of(self, task_id: int, generation: int) -> str:
        """The token of one generation of a task; raises StoreError."""
        known = self._current()
        key = known[_place(known, task_id)]
        return f"{PREFIX}_{task_id}_{generation}_{_mac(key, task_id, generation)}"

    def url_of(self, token: str) -> str | None:
        """Where a webhook may post to, None without a public address."""
        return None if self.public_url is None else f"{self.public_url}/callback/{token}"

    def task_of(self, token: str) -> tuple[int, int] | None:
        """The task and the generation that a token is good for, None for one that is not; raises StoreError."""
        found = _TOKEN.fullmatch(token)
        if found is None:
            return None
        task_id, generation, mac = int(found[1]), int(found[2]), found[3]
        if not any(hmac.compare_digest(_mac(key, task_id, generation), mac) for key in self._valid_for(task_id)):
            return None
        return task_id, generation

    def _valid_for(self, task_id: int) -> list[TokenSecretRow]:
        """The secret with which the task began, and that before it where the task is so young that it may be that."""
        known = self._current()
        place = _place(known, task_id)
        valid = [known[place]]
        if place and time.time_ns() // 1_000_000 - known[place].made < _SLACK:
            valid.append(known[place - 1])
        return valid

    def rotate(self) -> None:
        """Make a new secret for all tasks to come, and forget those of tasks that are gone; raises StoreError."""
        self._current()
        self._secrets.rotate(_new_secret(), time.time_ns() // 1_000_000)
        self._known_since = 0.0

    def _current(self) -> list[TokenSecretRow]:
        now = time.monotonic()
        if not self._known or now - self._known_since > KNOWN_FOR:
            try:
                known = self._secrets.all()
            except StoreError:
                if not self._known:
                    raise
                # What it knew a moment ago is right for all tasks that it can know.
                return self._known
            if not known:
                # The first of several engines that do this at once wins.
                self._secrets.add_first(_new_secret(), now=time.time_ns() // 1_000_000)
                known = self._secrets.all()
            self._known, self._known_since = known, now
        return self._known


def _place(known: list[TokenSecretRow], task_id: int) -> int:
    """Which secret was the newest when a task began."""
    return max(place for place, row in enumerate(known) if row.since <= task_id or place == 0)


def _new_secret() -> str:
    return secrets.token_bytes(32).hex()


def _mac(key: TokenSecretRow, task_id: int, generation: int) -> str:
    digest = hmac.digest(bytes.fromhex(key.value), f"{task_id}-{generation}".encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
