"""What is wrong with the files of decisions, element by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lxml import etree

from ..findings import Finding, Report

_LONGEST_NAME = 80
Sources = Mapping[etree._Element, str | None]
"""The names of files by their roots."""


class Wrongs:
    """What is wrong with one element, which ``what`` names in each text."""

    def __init__(self, what: str, sources: Sources | None) -> None:
        self.what = what
        self._report = Report(sources)

    @property
    def found(self) -> Sequence[Finding]:
        return self._report.findings

    @property
    def has_error(self) -> bool:
        return self._report.has_error

    def wrong(self, code: str, element: etree._Element, text: str) -> None:
        """The element cannot be evaluated as it is."""
        self._report.error(code, element, f"{self.what}: {text}")

    def doubtful(self, code: str, element: etree._Element, text: str) -> None:
        """It can be, but hardly as it was meant."""
        self._report.warning(code, element, f"{self.what}: {text}")


def drawn(name: str, element_id: str) -> str:
    """How a finding calls an element: by its drawn name with the id behind."""
    shown = " ".join(name.split())[:_LONGEST_NAME]
    return f"{shown!r} ({element_id})" if shown and name != element_id else repr(element_id)


def around(element: etree._Element) -> str:
    """The drawn name of what an element is in, or of itself."""
    place: etree._Element | None = element
    while place is not None and place.getparent() is not None:
        if name := " ".join((place.get("label") or place.get("name") or "").split()):
            return repr(name[:_LONGEST_NAME])
        place = place.getparent()
    return "the file"


def local(element: etree._Element) -> str:
    """The name of the element without its namespace."""
    return etree.QName(element).localname


def text_of(element: etree._Element | None, name: str = "text") -> str:
    """What stands in its ``text``, without blanks around it; empty if there is none."""
    found = None if element is None else element.find(f"{{*}}{name}")
    return "".join(found.itertext()).strip() if found is not None else ""
