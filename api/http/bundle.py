"""A page's modules as one script, and its style sheets as one: a browser asks for two files instead of ninety.

They are joined when the page is asked for, so nothing has to be built, and each file can be read and asked for alone. A
module becomes a function that runs when another one needs it for the first time, as a browser would run it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

SCRIPT, STYLE = "all.js", "all.css"
_ENTRY = re.compile(r'  <script src="([\w./-]+)" type="module"></script>\n')
_SHEET = re.compile(r'  <link rel="stylesheet" href="([\w./-]+)">\n')
_IMPORT = re.compile(r'^import (?:(\w+)|\{([^}]*)\}) from "(\./[\w./-]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_LATER = re.compile(r'\bimport\("(\./[\w./-]+\.js)"\)')
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_ELSEWHERE = re.compile(r"""@import\b|\burl\((?!["']?(?:data:|#))""")
"""What another folder would have to be found for."""
_HEAD = """\
const $made = new Map();
function $need(name) {
  if (!$made.has(name)) $made.set(name, $modules.get(name)());
  return $made.get(name);
}
async function $load(name) {
  return $modules.has(name) ? $need(name) : import(name);
}
const $modules = new Map();
"""


class Bundle(NamedTuple):
    """A page that names the joined files, and these."""

    page: str
    files: Mapping[str, str]


def _beside(module: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(module), name))


def _imported(module: str, text: str) -> list[str]:
    return [_beside(module, name) for _, _, name in _IMPORT.findall(text)]


def _together(entries: Iterable[str], texts: Mapping[str, str]) -> list[str]:
    """The modules of a page, also those that it imports later.

    What is imported later and imports nothing itself stays apart: that is data, or what others have made.
    """
    found = dict.fromkeys(entries)
    waiting = list(found)
    for module in waiting:
        text = texts[module]
        later = [_beside(module, name) for name in _LATER.findall(text)]
        for name in [*_imported(module, text), *(name for name in later if _IMPORT.search(texts.get(name, "")))]:
            if name not in found:
                found[name] = None
                waiting.append(name)
    return waiting


def _function(module: str, text: str) -> str:
    """A module as an entry of ``$modules``, each line where it was.

    Raises:
        ValueError: It imports or exports in a way that nothing in these modules needed so far.
    """

    def taken(found: re.Match[str]) -> str:
        default, names, name = found.groups()
        what = default if default is not None else f"{{{names.replace(' as ', ': ')}}}"
        return f'const {what} = $need("./{_beside(module, name)}"){".default" if default is not None else ""};'

    exported = _EXPORT.findall(text)
    text = _EXPORT.sub("", _IMPORT.sub(taken, text))
    text = _DEFAULT.sub("const $default = ", text)
    if " $default = " in text:
        exported.append("default: $default")
    other = _OTHER.search(text)
    if other is not None:
        raise ValueError(f"{module}: {other.group()!r} cannot be joined with other modules.")
    text = re.sub(r"\bimport\(", "$load(", text)
    return f'$modules.set("./{module}", () => {{ {text}return {{ {", ".join(exported)} }};\n}});\n'


def _sheet(name: str, text: str) -> str:
    if _ELSEWHERE.search(text):
        raise ValueError(f"{name} names another file, which would be sought beside {STYLE}.")
    return text


def bundled(page: str, texts: Mapping[str, str]) -> Bundle:
    """Join what a page names, of the files beside it; a page without modules stays as it is."""
    entries, sheets = _ENTRY.findall(page), _SHEET.findall(page)
    if not entries:
        return Bundle(page, {})
    modules = _together(entries, texts)
    runs = [f'$need("./{module}");\n' for module in entries]
    script = "".join([_HEAD, *(_function(module, texts[module]) for module in modules), *runs])
    style = "".join(_sheet(name, texts[name]) for name in sheets)
    links = [f'  <link rel="stylesheet" href="{STYLE}">\n', f'  <script src="{SCRIPT}" type="module"></script>\n']
    page = _SHEET.sub("", _ENTRY.sub("", page))
    # Style sheets first: what is shown waits for them alone.
    at = page.index("  <script") if "  <script" in page else page.index("</head>")
    return Bundle(page[:at] + "".join(links) + page[at:], {SCRIPT: script, STYLE: style})
