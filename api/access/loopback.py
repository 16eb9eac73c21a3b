"""What is answered while no access rule is set: requests of this machine itself, of no page and for nobody else."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from http import HTTPStatus

from flask import request

from ..errors import Refused

LOOPBACK_HOST = re.compile(
    r"(localhost|127(\.(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){3}|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE
)
FORWARDED = re.compile(
    r".*forwarded.*|via|.*(real|client|connecting|user)-?ip|x-original-(host|url|uri)|x-rewrite-url|x-envoy-.*", re.I
)
ADD_A_RULE = "add one with `riverstone key add`, or configure token introspection"


MODELER = "file://"
"""What Camunda Modeler, whose pages are files, says as its Origin; a file in a browser says ``null``."""


def is_modeler() -> bool:
    """Whether the request is that of a modeler on this machine."""
    return request.headers.get("Origin") == MODELER and is_loopback(request.environ.get("REMOTE_ADDR"))


def refuse_foreign_pages() -> None:
    """Raise Refused for a page of another site: a browser would send it a user's Basic credentials by itself."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "none")
    foreign = origin is not None and origin != f"{request.scheme}://{request.host}"
    if (foreign or site not in ("none", "same-origin")) and not is_modeler():
        text = "The request was sent by a page of another site, which is not answered here."
        raise Refused(text, status=HTTPStatus.FORBIDDEN, code="foreign-page")


def refuse_strangers(*, modelers: bool = False) -> None:
    """Raise Refused unless the request comes from this machine itself, and not on behalf of some other or of a page.

    With ``modelers`` a modeler on this machine is answered too.
    """
    environ = request.environ
    if not is_loopback(environ.get("REMOTE_ADDR")):
        raise _stranger(f"No access rule is set, so only this machine itself is answered: {ADD_A_RULE}.")
    if tells_of_forwarding(tuple(environ)):
        raise _stranger(f"The request was forwarded, and no access rule is set: {ADD_A_RULE}.")
    host = environ.get("HTTP_HOST", "")
    if not LOOPBACK_HOST.fullmatch(host):
        text = f"The Host header names {host[:100]!r}, not this machine, and no access rule is set"
        raise _stranger(f"{text}: use http://127.0.0.1, or {ADD_A_RULE}.")
    origin = environ.get("HTTP_ORIGIN")
    site = environ.get("HTTP_SEC_FETCH_SITE", "none")
    foreign = origin is not None and origin != f"{request.scheme}://{host}"
    if modelers and is_modeler():
        return
    # A browser lets any page send simple requests here; without a rule nothing but these headers tells them apart.
    if foreign or (site not in ("none", "same-origin") and environ["REQUEST_METHOD"] not in ("GET", "HEAD")):
        raise _stranger(f"The request was sent by a page of another site, and no access rule is set: {ADD_A_RULE}.")


@lru_cache(maxsize=256)
def tells_of_forwarding(names: tuple[str, ...]) -> bool:
    """Whether one of these names, of the members of a WSGI environment, is that of a header that a proxy adds.

    Kept, since the requests of a client have the same names again and again.
    """
    headers = (name[len("HTTP_") :].replace("_", "-") for name in names if name.startswith("HTTP_"))
    return any(FORWARDED.fullmatch(header) for header in headers)


def _stranger(text: str) -> Refused:
    return Refused(text, status=HTTPStatus.FORBIDDEN, code="loopback-only")


def is_local(host: str) -> bool:
    """Whether a host of an address can only be this machine, by its name too."""
    return host == "localhost" or is_loopback(host)


@lru_cache(maxsize=256)
def is_loopback(address: str | None) -> bool:
    """Whether an IP address can only be of this machine."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)
