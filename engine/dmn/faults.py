"""What is wrong with the files of decisions, element by element."""

from __future__ import annotations

from typing import Literal

from lxml import etree

from ..findings import Finding


class Faults:
    """Findings of one element that can be evaluated; what nobody uses is only warned of."""

    def __init__(self, what: str, source: str | None) -> None:
        self.what = what
        self.source = source
        self.found: list[Finding] = []

    def wrong(self, code: str, element: etree._Element, text: str) -> None:
        """The element cannot be evaluated as it is."""
        self._add("error", code, element, text)

    def doubtful(self, code: str, element: etree._Element, text: str) -> None:
        """It can be, but hardly as it was meant."""
        self._add("warning", code, element, text)

    def _add(self, severity: Literal["error", "warning"], code: str, element: etree._Element, text: str) -> None:
        finding = Finding(
            code=code,
            severity=severity,
            text=f"{self.what}: {text}",
            element_id=bearer_id(element),
            line=element.sourceline,
            source=self.source,
        )
        self.found.append(finding)


def bearer_id(element: etree._Element) -> str | None:
    """The id of the element or of the nearest one around it that has one."""
    here: etree._Element | None = element
    while here is not None and here.get("id") is None:
        here = here.getparent()
    return None if here is None else here.get("id")


def local(element: etree._Element) -> str:
    """The name of the element without its namespace."""
    return etree.QName(element).localname


def text_of(element: etree._Element | None, name: str = "text") -> str:
    """What stands in its ``text``, without blanks around it; empty if there is none."""
    found = None if element is None else element.find(f"{{*}}{name}")
    return "".join(found.itertext()).strip() if found is not None else ""
