"""What the manual says of a code: that of a finding, with an example and its mend, or that of an error.

The two pages of the manual that tell of them are installed with the code, and are read when somebody asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from html import unescape
from pathlib import Path
from typing import Literal, TypeAlias

from ..engine.errors import RiverstoneError, Unknown

SECTION = re.compile(r"^### (\S+)\n\n(.*?)(?=^#|^<!-- end|\Z)", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```xml\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (.*?) \| (.*) \|$", re.MULTILINE)


CodeKind: TypeAlias = Literal["finding", "error"]


@dataclass(frozen=True, slots=True)
class CodeExplained:
    """One code: ``wrong`` and ``mended`` are parts of a model as XML, None where there is no example."""

    code: str
    kind: CodeKind
    text: str
    wrong: str | None = None
    mended: str | None = None


def explain(code: str) -> CodeExplained:
    """What is known of a code; raises Unknown, with what it may have been meant to be."""
    found = _known().get(code)
    if found is None:
        near = get_close_matches(code[:100], _known(), n=3)
        meant = f" Perhaps {' or '.join(near)} is meant." if near else ""
        raise Unknown(code, f"No finding and no error has the code {code!r}.{meant}")
    return found


@cache
def _known() -> dict[str, CodeExplained]:
    known = {each.code: CodeExplained(each.code, "error", _said(each)) for each in _classes(RiverstoneError)}
    for code, status, text in ROW.findall(_page("errors")):
        known[code] = CodeExplained(code, "error", _plain(f"{status}. {text}"))
    return known | {code: _finding(code, section) for code, section in SECTION.findall(_page("findings"))}


def _classes(root: type[RiverstoneError]) -> Iterator[type[RiverstoneError]]:
    yield root
    for each in root.__subclasses__():
        yield from _classes(each)


def _said(error: type[RiverstoneError]) -> str:
    return (error.__doc__ or "").partition("\n\n")[0]


def _page(name: str) -> str:
    root = Path(__file__).parents[1]
    # As it is installed, and in a checkout.
    places = [root / folder / "reference" / f"{name}.md" for folder in ("manual", "docs")]
    return next(place for place in places if place.is_file()).read_text(encoding="utf-8")


def _finding(code: str, section: str) -> CodeExplained:
    examples = [example.rstrip() for example in FENCED.findall(section)]
    words = [part for part in FENCED.sub("", section).split("\n\n") if part.strip() not in ("", "Mended:")]
    wrong, mended = (*examples, None, None)[:2]
    return CodeExplained(code, "finding", _plain("\n\n".join(map(str.strip, words))), wrong, mended)


def _plain(text: str) -> str:
    return unescape(text).replace("`", "'").strip()
