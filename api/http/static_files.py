"""Serving files that lie in the package as they are sent: pages for people, which say nothing of any process.

A page names its files below the version of all of them, so that a browser that has them asks for the page alone. Its
modules and style sheets come joined (``bundle``).
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Response, abort, request, send_file

from ..access.gate import answers_everybody
from .bundle import bundled

# Not asked of the system, whose table may be anything: browsers run no script that is called otherwise.
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
LARGE = 1_000
"""Bytes from which on a file is sent packed to those who can read it so."""
LASTING = "public, max-age=31536000, immutable"
_NAMED = re.compile(r'( (?:href|src)=")(?=[\w-]+[./][^":]*")')
"""Where a page names a file beside it."""
_VERSION = re.compile(r"[0-9a-f]{16}")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _version_of(files: Iterable[Path]) -> str:
    """Another text for other files; told by their times, so that whoever edits them sees what they do."""
    told = ((file.name, *(file.stat().st_mtime_ns, file.stat().st_size)) for file in files)
    return hashlib.sha256(repr(sorted(told)).encode()).hexdigest()[:16]


@cache
def _gzip(file: Path, _changed: int) -> bytes:
    return gzip.compress(file.read_bytes(), mtime=0)


def _packed(file: Path) -> Response:
    """A file as browsers read it with a third of the bytes; packed once in the life of a server."""
    answer = Response(_gzip(file, file.stat().st_mtime_ns), mimetype=TYPES[file.suffix])
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Vary"] = "Accept-Encoding"
    answer.set_etag(f"{file.stat().st_mtime_ns}-{file.stat().st_size}-gzip")
    answer.make_conditional(request)
    return answer


class _Latest(NamedTuple):
    """A page and its joined files, as the files of the folder are at this version."""

    version: str
    page: str
    joined: Mapping[str, tuple[bytes, bytes]]
    """Plain and packed."""


def _latest(names: Mapping[str, Path], version: str) -> _Latest:
    texts = {name: file.read_text("utf-8") for name, file in names.items() if file.suffix in (".css", ".html", ".js")}
    page, files = bundled(texts["index.html"], texts)
    plain = {name: text.encode() for name, text in files.items()}
    joined = {name: (content, gzip.compress(content, mtime=0)) for name, content in plain.items()}
    return _Latest(version, _NAMED.sub(rf"\g<1>{version}/", page), joined)


def _joined(name: str, latest: _Latest) -> Response:
    plain, packed = latest.joined[name]
    wanted = bool(request.accept_encodings["gzip"])
    answer = Response(packed if wanted else plain, mimetype=TYPES[Path(name).suffix])
    answer.headers["Vary"] = "Accept-Encoding"
    if wanted:
        answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag(f"{latest.version}-{'gzip' if wanted else 'plain'}")
    answer.make_conditional(request)
    return answer


def lead_to(place: str, status: int) -> Response:
    """Lead a browser to a place below the present path, relatively: a proxy before may have taken a part of it off."""
    last = request.path.rpartition("/")[2]
    return Response(status=status, headers={"Location": f"{last}/{place}" if last else place})


def create_pages(at: str, files: Path, *, name: str) -> Blueprint:
    """The files of a folder below the path ``at``, its ``index.html`` at the path itself.

    They are given to anybody; what they show comes through the HTTP calls, for which they ask for a key where one is
    needed.
    """
    pages = Blueprint(name, __name__)
    names = {file.relative_to(files).as_posix(): file for file in files.rglob("*") if file.suffix in TYPES}
    made: list[_Latest] = []
    """What a page has named last."""

    def latest(version: str) -> _Latest:
        if not made or made[0].version != version:
            made[:] = [_latest(names, version)]
        return made[0]

    @answers_everybody
    def enter() -> Response:
        # The files name each other relatively, so the address has to end in a slash.
        return lead_to("", 308)

    @answers_everybody
    def page() -> Response:
        """The page itself, which names the files as they are now."""
        answer = Response(latest(_version_of(names.values())).page, mimetype=TYPES[".html"])
        answer.add_etag()
        answer.make_conditional(request)
        return answer

    @answers_everybody
    def send(path: str) -> Response:
        version, _, rest = path.partition("/")
        named = _VERSION.fullmatch(version) is not None
        now = made[0] if made else latest(_version_of(names.values()))
        file = names.get(rest if named else path)
        if named and rest in now.joined:
            answer = _joined(rest, now)
        elif file is None:
            abort(404)
        else:
            packed = file.stat().st_size >= LARGE and file.suffix != ".woff2" and request.accept_encodings["gzip"]
            answer = _packed(file) if packed else send_file(file, mimetype=TYPES[file.suffix], max_age=None)
        # A page of an earlier version gets what there is, and does not keep it.
        if named and version == now.version:
            answer.headers["Cache-Control"] = LASTING
        return answer

    @pages.after_request
    def protect(response: Response) -> Response:
        lasting = response.headers.get("Cache-Control") == LASTING
        response.headers.update(HEADERS)
        if lasting:
            response.headers["Cache-Control"] = LASTING
        return response

    pages.add_url_rule(at, view_func=enter)
    pages.add_url_rule(f"{at}/", view_func=page)
    pages.add_url_rule(f"{at}/<path:path>", view_func=send)
    return pages
