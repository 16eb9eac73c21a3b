"""Serving files that lie in the package as they are sent: pages for people, which say nothing of any process."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, redirect, request, send_file, url_for

from ..access.gate import answers_everybody

# Not asked of the system, whose table may be anything: browsers run no script that is called otherwise.
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
LARGE = 100_000
"""Bytes from which on a file is sent packed to those who can read it so."""
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


@cache
def _gzip(file: Path) -> bytes:
    return gzip.compress(file.read_bytes(), mtime=0)


def _packed(file: Path) -> Response:
    """A large file as browsers read it with a third of the bytes; packed once in the life of a server."""
    answer = Response(_gzip(file), mimetype=TYPES[file.suffix])
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Vary"] = "Accept-Encoding"
    answer.set_etag(f"{int(file.stat().st_mtime)}-{file.stat().st_size}-gzip")
    answer.make_conditional(request)
    return answer


def create_pages(at: str, files: Path, *, name: str) -> Blueprint:
    """The files of a folder below the path ``at``, its ``index.html`` at the path itself.

    They are given to anybody; what they show comes through the HTTP calls, for which they ask for a key where one is
    needed.
    """
    pages = Blueprint(name, __name__)
    names = {file.relative_to(files).as_posix(): file for file in files.rglob("*") if file.suffix in TYPES}

    @answers_everybody
    def enter() -> Response:
        # The files name each other relatively, so the address has to end in a slash.
        answer = redirect(url_for(f".{send.__name__}"), 308)
        return Response(answer.get_data(), answer.status_code, answer.headers)

    @answers_everybody
    def send(path: str = "index.html") -> Response:
        file = names.get(path)
        if file is None:
            abort(404)
        if file.stat().st_size >= LARGE and request.accept_encodings["gzip"]:
            return _packed(file)
        return send_file(file, mimetype=TYPES[file.suffix], max_age=None)

    @pages.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    pages.add_url_rule(at, view_func=enter)
    pages.add_url_rule(f"{at}/", view_func=send)
    pages.add_url_rule(f"{at}/<path:path>", view_func=send)
    return pages
