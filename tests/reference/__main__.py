"""``python -m tests.reference``: write the parts of the manual that come from the code."""

from __future__ import annotations

from .blocks import filled, pages
from .every import BLOCKS


def main() -> None:
    """Fill the blocks of every page anew, and name the pages that are different now."""
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = filled(before, BLOCKS)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"wrote {page}")


if __name__ == "__main__":
    main()
