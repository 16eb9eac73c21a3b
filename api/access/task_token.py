"""Whoever has the token of a task: it lets in to that task alone, and needs no key."""

from __future__ import annotations

from collections.abc import Mapping

from ...engine import Engine, UnknownToken
from .clients import Client
from .rule import credential_given, unknown


def admit_token(engine: Engine, path: Mapping[str, str]) -> Client:
    """The client of a request with a token in its path or as its bearer; raises Refused, UnknownToken."""
    token = path.get("token")
    if token is not None:
        return Client(name=f"task:{engine.task_of_token(token)}")
    credential = credential_given()
    try:
        task_id = engine.task_of_token(credential)
    except UnknownToken:
        task_id = ""
    if task_id != path.get("task_id"):
        raise unknown("The token is not that of this task, or the task is no more.", code="token-invalid")
    return Client(name=f"task:{task_id}")
