"""Deployments under the keys of Camunda 8, which are numbers written as text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from ...engine import Deployment, Engine, UnknownDeployment

DEFAULT_TENANT = "<default>"
BITS = 62
MOST = 2_000
"""Deployments among which a key is looked for, the newest first."""


def key_of(deployment_id: str) -> str:
    """The number that stands for a deployment: the last bits of its UUID."""
    return str(int(deployment_id.replace("-", ""), 16) % 2**BITS)


def deployments(engine: Engine, *, key: str | None = None) -> Iterator[Deployment]:
    """All deployments, the newest first, read a part at a time."""
    cursor = None
    while True:
        page = engine.deployments(limit=100, cursor=cursor, key=key)
        yield from page.items
        if (cursor := page.cursor) is None:
            return


def deployment_of(engine: Engine, key: str) -> Deployment:
    """The deployment of such a number; raises UnknownDeployment."""
    for each in islice(deployments(engine), MOST):
        if key_of(each.deployment_id) == key:
            return each
    raise UnknownDeployment(key)


def version_of(engine: Engine, deployment_id: str) -> int:
    """The number of a version; 0 of one that is not in use any more."""
    return _version(engine, deployment_id)


@lru_cache(maxsize=1024)
def _version(engine: Engine, deployment_id: str) -> int:
    try:
        return engine.deployment(deployment_id).version
    except UnknownDeployment:
        return 0
