"""Requests of a client: connections that are used again, tries again where that is harmless, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from ...engine.errors import Invalid
from ...engine.observing import tracing
from ...engine.outgoing.certificates import trusting
from ..access.address import parts_of
from ..errors import ServerUnavailable
from . import reading

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

NOT_MODIFIED = 304
BACKOFF = 0.3
"""Seconds before the second try; doubled for each further one."""
BUSY = (502, 503, 504)
"""Answers of a server, or of a proxy before it, that is not there at the moment."""
NEVER = frozenset({"-"})
"""The methods that are tried again although the server may have got them: an empty set would mean all."""
Files = Sequence[tuple[str, tuple[str, bytes, str]]]


class Transport:
    """One server; ``key`` (a key or a token) goes with each request and is shown nowhere."""

    def __init__(self, url: str, *, key: str | None, timeout: float, retries: int, ca_certs: str | None) -> None:
        try:
            import urllib3
        except ImportError as error:
            text = "A client needs urllib3: install it with pip install 'riverstone[client]'."
            raise Invalid(text, code="client-missing") from error
        parts = parts_of(url)
        if parts is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
            text = f"The address of a server looks like https://host:8080, not {_shown(url)}."
            raise Invalid(text, code="url-invalid")
        if parts.username is not None or parts.password is not None:
            raise Invalid("The address of a server holds no user or password: give a key.", code="url-invalid")
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.retries = retries
        self._headers = {"Accept": "application/json", "User-Agent": "riverstone-client"}
        if key is not None:
            if not key.isascii() or not key.isprintable() or " " in key:
                raise Invalid("The key holds what no key can: check how it was copied.", code="key-invalid")
            self._headers["Authorization"] = f"Bearer {key}"
        # Each thread that asks at the same time gets a connection of its own out of the pool.
        self._pool = urllib3.PoolManager(maxsize=16, **_secured(parts.scheme, ca_certs))

    def close(self) -> None:
        """Close the connections; another request would open new ones."""
        self._pool.clear()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a path; raises what the server says, ServerUnavailable."""
        return self.send("GET", path, query=query, harmless=True)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        harmless: bool = False,
    ) -> Any:
        """Ask, and return the answer's JSON; see :meth:`ask`."""
        answer = self.ask(method, path, query=query, body=body, files=files, headers=headers, harmless=harmless)
        return self._read(answer.status, answer.data, path)

    def changed(self, path: str, *, since: str | None, wait: int) -> tuple[str | None, bool]:
        """The ETag of what is different from ``since``, at the latest after so many seconds; None where nothing is.

        And whether the server says that nobody has to wait for it any longer.
        """
        query = {"since": since, "wait": wait}
        answer = self.ask("GET", path, query=query, harmless=True, longer=wait)
        told = "Preference-Applied" in answer.headers
        if answer.status == NOT_MODIFIED:
            return None, told
        self._read(answer.status, answer.data, path)
        return answer.headers.get("ETag"), told

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        harmless: bool = False,
        longer: float = 0,
    ) -> BaseHTTPResponse:
        """Ask, and return the answer, which may come so many seconds ``longer`` than in the usual time.

        A ``harmless`` request is tried again whatever went wrong, since a second one changes nothing; any other only
        if it cannot have reached the server.
        """
        import urllib3

        tries = urllib3.Retry(
            self.retries,
            redirect=0,
            backoff_factor=BACKOFF,
            allowed_methods=None if harmless else NEVER,
            status_forcelist=BUSY if harmless else (),
            raise_on_status=False,
            raise_on_redirect=False,
            respect_retry_after_header=False,
        )
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = f"{self.url}{path}{f'?{urlencode(given, doseq=True)}' if given else ''}"
        content: dict[str, Any] = {}
        sent = {**self._headers, **(headers or {})}
        if (trace := tracing.present()) is not None:
            sent["traceparent"] = trace
        if files is not None:
            content["fields"] = list(files)
        elif body is not None:
            content["body"] = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
            sent["Content-Type"] = "application/json"
        try:
            answer = self._pool.request(
                method,
                url,
                headers=sent,
                retries=tries,
                redirect=False,
                timeout=urllib3.Timeout(total=self.timeout + longer),
                **content,
            )
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, urllib3.exceptions.SSLError):
                text = f"The certificate of {self.url} is not trusted, or it speaks no TLS"
                hint = "SSL_CERT_FILE names a file with the certificate of a private authority"
                why = getattr(next(iter(reason.args), None), "verify_message", "no reason is given")
                raise ServerUnavailable(f"{text} ({why}): {hint}.", code="certificate-untrusted") from None
            raise ServerUnavailable(f"The server {self.url} does not answer: {type(reason).__name__}.") from None
        return answer

    def _read(self, status: int, data: bytes, path: str) -> Any:
        try:
            content = json.loads(data)
        except ValueError:
            content = None
        if status == 200 and content is not None:
            return content
        if not isinstance(content, dict) or status < 400:
            text = f"What {self.url} answered for {path} ({status}) is not what riverstone says: check the address."
            raise ServerUnavailable(text, code="server-unknown")
        raise reading.error(status, content, path)


def part(identifier: str) -> str:
    """An id as one part of a path."""
    return quote(identifier, safe="")


def _secured(scheme: str, ca_certs: str | None) -> dict[str, Any]:
    """What a pool needs to encrypt; raises Invalid for a file that holds no certificates."""
    try:
        return {"ssl_context": trusting(ca_certs)} if scheme == "https" else {}
    except OSError as error:
        text = f"The certificates {ca_certs!r} cannot be read: {error}."
        raise Invalid(text, code="settings-invalid") from None


def _shown(url: str) -> str:
    """An address without what may be a secret in it."""
    parts = parts_of(url)
    return "this one" if parts is None else repr(f"{parts.scheme}://{parts.hostname}{parts.path}"[:100])
