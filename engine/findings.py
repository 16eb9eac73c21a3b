"""What the checks of a model have to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from lxml import etree

Severity: TypeAlias = Literal["error", "warning"]

# A hostile file can break a rule at every element, and with names of a megabyte; nobody reads more than this.
MOST = 500
_LONGEST = 600


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


class Report:
    """Findings in the order in which they were made, each once: at most 500, and an error beyond if there was none."""

    def __init__(self, sources: Mapping[etree._Element, str | None] | None = None, *, strict: bool = False) -> None:
        """``sources`` are the names of the files by their roots; ``strict`` is that of :meth:`formal`."""
        self.sources = sources or {}
        self.strict = strict
        self._findings: dict[Finding, None] = {}
        self.refused: set[tuple[str | None, str | None]] = set()
        """The source and id of each element about which there is an error."""
        self.has_error = False

    @property
    def findings(self) -> list[Finding]:
        """All of them."""
        return list(self._findings)

    def source_of(self, element: etree._Element) -> str | None:
        """The name of the file that an element stands in, if that is known."""
        return self.sources.get(element.getroottree().getroot()) if self.sources else None

    def error(self, code: str, element: etree._Element, text: str) -> None:
        """The model is invalid or cannot be run."""
        self._add(code, "error", element, text)

    def warning(self, code: str, element: etree._Element, text: str) -> None:
        """Something is doubtful."""
        self._add(code, "warning", element, text)

    def formal(self, code: str, element: etree._Element, text: str) -> None:
        """The specification forbids it, but it can be run: an error only for who asks for strict checks."""
        self._add(code, "error" if self.strict else "warning", element, text)

    def _add(self, code: str, severity: Severity, element: etree._Element, text: str) -> None:
        source = self.source_of(element)
        text, element_id = shorten(text), nearest_id(element)
        self.add(
            Finding(
                code=code, severity=severity, text=text, element_id=element_id, line=element.sourceline, source=source
            )
        )

    def is_refused(self, element: etree._Element) -> bool:
        """Whether there is an error about this element already, so that what follows from that is not told too."""
        return (self.source_of(element), nearest_id(element)) in self.refused

    def add(self, *findings: Finding) -> None:
        """Take over what was found elsewhere."""
        for finding in findings:
            error = finding.severity == "error"
            if len(self._findings) < MOST or (error and not self.has_error):
                self._findings.setdefault(finding)
                if error:
                    self.refused.add((finding.source, finding.element_id))
                self.has_error = self.has_error or error


def shorten(text: str) -> str:
    """The text, without its middle where it is too long to be read."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"


def nearest_id(element: etree._Element) -> str | None:
    """The id of the element, or of the nearest one around it that has one."""
    place: etree._Element | None = element
    while place is not None and place.get("id") is None:
        place = place.getparent()
    return None if place is None else place.get("id")
