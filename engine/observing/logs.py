"""What the engine's log records carry beside their text, and how they are written as JSON.

All of it is logged below ``riverstone``; a record is about a process, a task, a stone or an event if it has the
attribute of that name. What stones and variables say is never in one: the record of the process has it, masked.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from . import tracing

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for machines: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``.

    Then whatever the record has as ``extra``, ``trace_id`` and ``span_id`` inside a span of OpenTelemetry, and under
    ``error`` the traceback of an exception.
    """

    def format(self, record: logging.LogRecord) -> str:
        content: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        content |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if (inside := tracing.present()) is not None:
            _, content["trace_id"], content["span_id"], _ = inside.split("-")
        if record.exc_info:
            content["error"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False, default=str)


def about(**fields: Any) -> dict[str, Any]:
    """The ``extra`` of a record: what it is about, as far as that is known; ids are texts, as everywhere outside."""
    return {name: str(value) for name, value in fields.items() if value is not None and value != ""}


def where(error: BaseException) -> str:
    """What kind of error it is and where it came from, but not with what words: these may hold a secret."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < 5:
        causes.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    by = f" (by {', '.join(causes)})" if causes else ""
    return f"{type(error).__name__}{by}\n{frames}".rstrip()
