"""What MkDocs needs to make a site of pages that are written to be read on their own.

The first pages of the project stand outside of ``docs/``; they become pages too. A link to a file that is no page is
shown as its name alone. A comment ``<!-- ::: name -->`` becomes what the docstrings of that name say.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
FIRST = {
    "README.md": "start.md",
    "README.zh-CN.md": "start.zh-CN.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""The pages at the root, and how they are called on the site."""
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^()\s]+)\)")
FENCE = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)
DIRECTIVE = re.compile(r"<!-- (::: [\w.]+) -->")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages at the root."""
    from mkdocs.structure.files import File

    for name, address in FIRST.items():
        content = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, address, content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with links as they are on the site."""
    address = page.file.src_uri
    at_root = {value: key for key, value in FIRST.items()}
    source = at_root.get(address) or f"docs/{address}"
    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(lambda found: _link(found, source, address), part) for part in parts[::2]]
    return DIRECTIVE.sub(r"\1", "".join(parts))


def _link(found: re.Match[str], source: str, address: str) -> str:
    target, _, anchor = found[3].partition("#")
    if not target or ":" in target:
        return found[0]
    place = os.path.normpath(os.path.join(os.path.dirname(source), target))
    there = FIRST.get(place) or (place.removeprefix("docs/") if place.startswith("docs/") else None)
    if there is None:
        return f"`{place}`" if found[2].replace("\\", "") == target else f"{found[2]} (`{place}`)"
    shown = os.path.relpath(there, os.path.dirname(address) or ".")
    return f"{found[1]}[{found[2]}]({shown}{'#' + anchor if anchor else ''})"


def on_pre_build(**_: Any) -> None:
    """Say plainly what is missing, where the links to the packages are not there."""
    if not (ROOT / ".typing" / "riverstone" / "engine").exists():
        raise SystemExit("Run python3 dev.py docs: it prepares what the reference of classes needs.")
