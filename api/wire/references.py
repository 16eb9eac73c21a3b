"""Addresses of this server in its answers: relative ones (RFC 3986, 4.2), since a proxy may have taken a part off."""

from __future__ import annotations

from flask import request


def reference_to(path: str) -> str:
    """How the client finds a path of this server from the address that it has just asked, whatever stood before both.

    Neither a header nor a setting has to say what a proxy has taken off. No slash is added at the end, except that the
    root is ``.``.
    """
    here, there = _asked().split("/")[1:-1], path.split("/")[1:]
    same = 0
    while same < min(len(here), len(there) - 1) and here[same] == there[same]:
        same += 1
    found = "/".join([*[".."] * (len(here) - same), *there[same:]])
    if found in ("", ".."):
        return "." if not found else "../"
    # A colon in the first part would make a scheme of it.
    return f"./{found}" if ":" in found.partition("/")[0] else found


def _asked() -> str:
    """The path as the client has written it, as far as a proxy has left it: ``%2F`` is no slash in it."""
    environ = request.environ
    written: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    return written.partition("?")[0] if written.startswith("/") else request.script_root + request.path
