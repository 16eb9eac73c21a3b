"""Deployments under the keys of Camunda 8, which are numbers written as text."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID
from weakref import WeakKeyDictionary

from ...engine import Deployment, Engine, UnknownDeployment

DEFAULT_TENANT = "<default>"
BITS = 63
"""Of a key: Camunda's are whole numbers of 64 bits with a sign."""
REST = 128 - BITS


def key_of(deployment_id: str) -> str:
    """The number that stands for a deployment: the first bits of its UUID, by which the store finds it again."""
    return str(UUID(deployment_id).int >> REST)


def deployments(engine: Engine) -> Iterator[Deployment]:
    """All deployments, the newest first, read a part at a time."""
    cursor = None
    while True:
        page = engine.deployments(limit=100, cursor=cursor)
        yield from page.items
        if (cursor := page.cursor) is None:
            return


def deployment_of(engine: Engine, key: str) -> str:
    """The id of the deployment of such a number; raises UnknownDeployment."""
    if key.isascii() and key.isdigit() and len(key) <= len(str(2**BITS)) and int(key) < 2**BITS:
        first, last = (str(UUID(int=each)) for each in (int(key) << REST, (int(key) + 1 << REST) - 1))
        if (found := engine.versions.between(first, last)) is not None:
            return found
    raise UnknownDeployment(key)


def version_of(engine: Engine, deployment_id: str) -> int:
    """The number of a version; 0 of one that is not in use any more."""
    known = _versions.setdefault(engine, {})
    if (found := known.get(deployment_id)) is None:
        try:
            found = engine.deployment(deployment_id).version
        except UnknownDeployment:
            found = 0
        if len(known) >= MOST_KNOWN:
            known.clear()
        known[deployment_id] = found
    return found


MOST_KNOWN = 1024
_versions: WeakKeyDictionary[Engine, dict[str, int]] = WeakKeyDictionary()
"""Of each engine for as long as somebody else has it."""
