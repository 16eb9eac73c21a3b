"""Where the checks put what they find."""

from __future__ import annotations

from lxml import etree

from ...findings import Finding, Severity

# A hostile file can break a rule at every element, and with names of a megabyte; nobody reads more than this.
_MOST = 500
_LONGEST = 600


class Report:
    """Findings in the order in which they were made, at most 500, each once."""

    def __init__(self, *, source: str | None, dialect: bool) -> None:
        self.source = source
        self.dialect = dialect
        self.findings: dict[Finding, None] = {}
        self._has_error = False

    def error(self, code: str, element: etree._Element | None, text: str) -> None:
        """The specification or the schema makes the file invalid."""
        self._add(code, "error", element, text)

    def warning(self, code: str, element: etree._Element | None, text: str) -> None:
        self._add(code, "warning", element, text)

    def strict(self, code: str, element: etree._Element | None, text: str) -> None:
        """The specification makes the file invalid, but the engine whose dialect it is in gives it a meaning."""
        self._add(code, "warning" if self.dialect else "error", element, text)

    def _add(self, code: str, severity: Severity, element: etree._Element | None, text: str) -> None:
        element_id, line = place(element)
        text = shorten(text)
        self.add(Finding(code=code, severity=severity, text=text, element_id=element_id, line=line, source=self.source))

    def add(self, finding: Finding) -> None:
        error = finding.severity == "error"
        if len(self.findings) < _MOST or (error and not self._has_error):
            self.findings.setdefault(finding)
            self._has_error = self._has_error or error


def shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"


def place(element: etree._Element | None) -> tuple[str | None, int | None]:
    """The nearest id at or above ``element``, and its line."""
    line = None if element is None else element.sourceline
    while element is not None and element.get("id") is None:
        element = element.getparent()
    return (None if element is None else element.get("id")), line
