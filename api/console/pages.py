"""Serving the console's files, which lie in the package as they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flask import Blueprint, Response, abort, redirect, send_file, url_for

from ..access import answers_everybody

FILES = Path(__file__).with_name("static")
# Not asked of the system, whose table may be anything: browsers run no script that is called otherwise.
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
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


def create_console(*, name: str = "console") -> Blueprint:
    """The console at ``/console``, to be registered below the same prefix as the calls that it makes.

    Its files say nothing of any process, so they are given to anybody; what they show comes through the HTTP calls, for
    which the console asks for a key where one is needed.
    """
    console = Blueprint(name, __name__)
    names = {file.relative_to(FILES).as_posix(): file for file in FILES.rglob("*") if file.suffix in TYPES}

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
        return send_file(file, mimetype=TYPES[file.suffix], max_age=None)

    @console.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    console.add_url_rule("/console", view_func=enter)
    console.add_url_rule("/console/", view_func=send)
    console.add_url_rule("/console/<path:path>", view_func=send)
    return console
