"""What the checks of a BPMN file have to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong or doubtful; ``code`` is stable, ``text`` says what it is and what to do."""

    code: str
    severity: Severity
    text: str
    element_id: str | None = None
    line: int | None = None
    source: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line) if part is not None)
        return f"{place + ': ' if place else ''}{self.severity} {self.code}: {self.text}"
