"""What several calls of a client send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...engine.authoring.templates import searchable_texts
from ..wire.members import TIME
from ..wire.record import camel


def searched(where: Mapping[str, Any]) -> dict[str, Any]:
    """What is searched for, as a query says it; raises Invalid for a value of a variable that is none."""
    query: dict[str, Any] = {}
    for name, value in where.items():
        if value in (None, "", (), [], {}):
            continue
        if name == "variables":
            query["variable"] = [f"{variable}={text}" for variable, text in searchable_texts(value).items()]
        elif name == "statuses":
            query["status"] = list(value)
        else:
            query[camel(name)] = value.astimezone().strftime(TIME) if isinstance(value, datetime) else value
    return query
