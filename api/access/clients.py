"""Whoever a request comes from: what it may do, and what the audit writes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Request, current_app, request

from ...engine.operating.audit import AuditedCall
from ...engine.person import Person
from ...models.vocabulary import HOOKS
from .request_id import request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CLIENT = "riverstone.client"
"""Where the WSGI environment has it."""
OPEN = "open"
"""The scope of what answers everybody, since it tells nothing: whether the server is alive and ready."""
KNOWN = "known"
"""The scope of what answers everybody who is let in at all."""

TOKEN = "token"
"""The scope of what the token of a task lets in to, without any key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """Whoever a request comes from, and what it may do.

    ``name`` is written into the audit. It starts process instances for ``owner`` and sees only that owner's; without
    an owner, or with the scope ``admin``, it sees all.
    """

    name: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    owner: str | None = None
    topics: tuple[str, ...] = ()
    """What it fetches with the scope ``work``; ``*`` in it stands for anything."""
    user: str | None = None
    """The person who asks, as models name assignees and candidates; None for whoever is nobody in particular."""
    groups: tuple[str, ...] = ()
    """The groups of that person."""

    def may_fetch(self, topic: str) -> bool:
        """Whether it may carry out the tasks of a topic; whoever may do so may undo them too."""
        if "admin" in self.scopes:
            return True
        code, _, hook = topic.rpartition(".")
        names = (topic, code) if hook in HOOKS else (topic,)
        return any(fnmatchcase(name, _pattern(pattern)) for name in names for pattern in self.topics)

    def may(self, scope: str) -> bool:
        """Whether it has this scope, or ``admin``, which includes all but ``secrets``."""
        return scope in self.scopes or ("admin" in self.scopes and scope != "secrets")

    @property
    def sees(self) -> str | None:
        """The only owner whose process instances it sees; None sees all."""
        return None if "admin" in self.scopes else self.owner


@cache
def _pattern(text: str) -> str:
    """Of a shell's signs only ``*`` means something."""
    return re.sub(r"[\[?]", lambda sign: f"[{sign[0]}]", text)


def view_asked() -> Any:
    """The view function that the present request asks for."""
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]
    return current_app.view_functions.get(asked.endpoint or "")


def scope_needed() -> str:
    """The scope of the operation or view that the present request asks for; ``read`` where neither has one."""
    view = view_asked()
    operation = getattr(view, "operation", None) if request.method != "OPTIONS" else None
    scope: str = getattr(operation or view, "scope", "read")
    return scope


def call_of(client: Client, environ: WSGIEnvironment, action: str, target: str | None) -> AuditedCall:
    """A client's request as the audit has it."""
    return AuditedCall(
        client=client.name,
        address=environ.get("REMOTE_ADDR") or "",
        action=action,
        request_id=request_id(environ),
        target=target,
        person=client.user,
    )


def refused_call(client: Client) -> AuditedCall:
    """The present request as the audit has it, by the names that its route has: it does not come to its operation."""
    view: Any = current_app.view_functions.get(request.endpoint or "")
    action = getattr(getattr(view, "operation", None), "name", request.method.lower())
    return call_of(client, request.environ, action, next(iter((request.view_args or {}).values()), None))


def present_person() -> Person:
    """Who the client of the present request is to tasks of people."""
    client = present_client()
    return Person(
        user=client.user or client.name,
        groups=frozenset(client.groups),
        owner=client.owner,
        sees_all=client.sees is None,
        is_admin=client.may("admin"),
        is_program=client.user is None,
    )


def present_client() -> Client:
    """Whom the present request comes from."""
    client: Client = request.environ[CLIENT]
    return client
