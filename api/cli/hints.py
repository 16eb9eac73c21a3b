"""What to type next after an error; the error's own sentence says what is wrong."""

from __future__ import annotations

_BY_CODE = {
    "unknown-process-instance": "riverstone list shows those of this database (--db).",
    "unknown-task": "riverstone tasks PROCESS shows the tasks of a process.",
    "unknown-model": "riverstone deploy FILE makes one.",
    "model-invalid": "riverstone lint FILE shows every finding.",
    "outcome-unknown": "riverstone list shows what there is.",
    "access-required": "RIVERSTONE_API_KEY holds the key, or --api-key-file names a file with it.",
    "store-unavailable": "--db or RIVERSTONE_DB names the database.",
}


def hint_for(error: BaseException) -> str | None:
    """A sentence for an error of the engine's, None where its own says it all."""
    return _BY_CODE.get(str(getattr(error, "code", "")))
