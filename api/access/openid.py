"""Signing in by OpenID Connect: the code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207).

Authlib and joserfc (extra ``riverstone[oidc]``) make and check what goes over the line.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from importlib import import_module
from io import BytesIO
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any, Literal, TypeAlias, TypeVar, get_args
from urllib.parse import urlsplit

from ...engine.errors import Invalid, StoreUnavailable
from ...engine.operating.access_keys import SCOPES
from ...engine.outgoing.certificates import strictly
from ...engine.person import MOST_GROUPS, is_person
from .address import parts_of
from .loopback import is_local

log = logging.getLogger("riverstone.api")

TIMEOUT = 5.0
"""Seconds for one answer of the provider."""
WHOLE = 10.0
"""Seconds for all of one conversation, however slowly its answer comes."""
LARGEST = 512 * 1024
KEPT = 600.0
"""Seconds for which the provider's description and keys are kept."""
LEEWAY = 30
"""Seconds by which the provider's clock may differ."""
AT_ONCE = 4
"""Conversations at the same time, so that a provider that hangs does not hold all threads."""
IN_TURN = 0.2
"""Seconds for which one more waits for its turn."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Those of a signature that only the provider can make; ``none`` and those of a shared secret are none of them."""

SignOut: TypeAlias = Literal["provider", "here"]
Said = TypeVar("Said")


class SignInRefused(Invalid):
    """Whoever comes back from the provider is not signed in; the code says why."""

    code = "sign-in-refused"


class ProviderUnavailable(StoreUnavailable):
    """The provider does not answer, or not in a way that can be used."""

    code = "provider-unavailable"

    def __init__(self, why: str) -> None:
        super().__init__(f"Nobody can sign in now, because the provider {why}: try again later.")


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """Who has signed in, by what the provider's claims are mapped to."""

    user: str
    groups: tuple[str, ...]
    scopes: frozenset[str]
    owner: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SignInSecrets:
    """What one sign-in has of its own, known to its browser alone until it is over."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider of OpenID Connect, and what its claims mean here. Raises Invalid for an issuer in clear text.

    A claim that is not named here gives nothing: ``groups_claim`` lists the person's groups, ``owner_claim`` whose
    processes they start and see (``user:NAME`` without), and of the values of ``scopes_claim`` each gives the scopes
    that ``scopes`` says of it.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    request: str = "openid profile email"
    """The scopes of OpenID that are asked for."""
    user_claim: str = "sub"
    groups_claim: str | None = None
    owner_claim: str | None = None
    scopes_claim: str | None = None
    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sign_out: SignOut = "provider"
    """What ends when somebody signs out: the session at the provider too, or only the one here."""
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _talking: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(AT_ONCE), repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if not is_safe(self.issuer) or urlsplit(self.issuer).query:
            raise _wrong(f"The issuer {self.issuer[:200]!r} is not https://HOST/PATH without a query.")
        if not self.client_id:
            raise _wrong("Signing in needs a client id of this server at the provider.")
        if "openid" not in self.request.split():
            raise _wrong("The scopes that are requested of the provider have to include openid.")
        if self.sign_out not in get_args(SignOut):
            told = " or ".join(get_args(SignOut))
            raise _wrong(f"The setting sign_out is {self.sign_out[:40]!r}: write {told}.")
        unknown = sorted({scope for given in self.scopes.values() for scope in given} - set(SCOPES))
        if unknown or (self.scopes and not self.scopes_claim):
            told = f"there is no scope {unknown[0]!r}" if unknown else "scopes_claim is missing"
            raise _wrong(f"The mapping to scopes is wrong: {told}. The scopes are {', '.join(SCOPES)}.")
        try:
            import_module("authlib.integrations.requests_client")
        except ImportError:
            raise _wrong("Signing in needs more packages: install riverstone[oidc].") from None

    # -- on the way there

    def address(self, redirect_uri: str, secrets: SignInSecrets) -> str:
        """Where the browser goes to sign in; raises ProviderUnavailable."""
        endpoint = self._endpoint("authorization_endpoint")
        url, _ = self._session(redirect_uri).create_authorization_url(
            endpoint, state=secrets.state, nonce=secrets.nonce, code_verifier=secrets.verifier
        )
        return str(url)

    def sign_out_address(self, back: str) -> str | None:
        """Where the browser goes to end the session at the provider, which then sends it back to ``back``.

        OpenID Connect RP-Initiated Logout 1.0, 2; no ID token is kept, so ``client_id`` says who asks. None where
        only the session here ends, and for a provider that ends none. Raises ProviderUnavailable.
        """
        endpoint = self._description().get("end_session_endpoint")
        if self.sign_out == "here" or not isinstance(endpoint, str) or not is_safe(endpoint):
            return None
        told = {"client_id": self.client_id, "post_logout_redirect_uri": back}
        return str(import_module("authlib.common.urls").add_params_to_uri(endpoint, told.items()))

    # -- on the way back

    def person(self, redirect_uri: str, secrets: SignInSecrets, given: Mapping[str, str]) -> SignedIn:
        """Who comes back with these parameters, of which ``state`` was checked.

        Raises SignInRefused, ProviderUnavailable.
        """
        if (error := given.get("error")) is not None:
            # Its text is whatever an address says: not shown, and in the log only as far as a code is one.
            log.warning("The provider refuses a sign-in: %r.", error[:40])
            raise SignInRefused("The provider refuses the sign-in.")
        code = given.get("code")
        if not code or len(code) > 4096:
            raise SignInRefused("The answer of the provider has no code.", code="sign-in-invalid")
        self._check_issuer(given.get("iss"))
        claims, session = self._claims(redirect_uri, secrets, code)
        return self._mapped(self._with_userinfo(claims, session))

    def _check_issuer(self, given: str | None) -> None:
        """That the answer is this provider's, not that of another which the browser was sent through."""
        told = self._description().get("authorization_response_iss_parameter_supported") is True
        if (given is None and told) or given not in (None, self.issuer):
            raise SignInRefused("The answer is that of another provider.", code="sign-in-invalid")

    def _claims(self, redirect_uri: str, secrets: SignInSecrets, code: str) -> tuple[dict[str, Any], Any]:
        """The claims of the checked token, and the session that may ask for more of them."""
        session = self._session(redirect_uri)
        session.register_compliance_hook("access_token_response", self._whole)
        endpoint = self._endpoint("token_endpoint")
        how = {"timeout": TIMEOUT, "allow_redirects": False, "stream": True}
        try:
            token = self._talk(lambda: session.fetch_token(endpoint, code=code, code_verifier=secrets.verifier, **how))
            text = token.get("id_token")
        except ProviderUnavailable:
            raise
        except _requests().RequestException as error:
            raise self._failed("cannot be reached", error) from None
        except Exception as error:
            # Authlib has errors of its own for what a provider refuses, and others for what is no JSON.
            log.warning("The provider gives no token: %s.", type(error).__name__)
            raise SignInRefused("The provider gives no token for this code.", code="sign-in-invalid") from None
        if not isinstance(text, str) or len(text) > LARGEST:
            raise SignInRefused("The provider gives no token of who has signed in.", code="sign-in-invalid")
        return self._checked(text, secrets.nonce, token.get("access_token")), session

    def _checked(self, text: str, nonce: str, access_token: Any) -> dict[str, Any]:
        """The claims of an ID token whose signature, issuer, audience, nonce and times are right."""
        jwt, jwk = import_module("joserfc.jwt"), import_module("joserfc.jwk")
        id_token = import_module("authlib.oidc.core").CodeIDToken
        jose_error = import_module("joserfc.errors").JoseError
        told = self._description().get("id_token_signing_alg_values_supported")
        names = told if isinstance(told, list) else ["RS256"]
        allowed = [name for name in ALGORITHMS if name in names]
        last: Exception | None = None
        for fresh in (False, True):
            try:
                keys = jwk.KeySet.import_key_set(self._keys(fresh=fresh))
                read = jwt.decode(text, keys, algorithms=allowed)
                claims = id_token(
                    read.claims,
                    read.header,
                    {
                        "iss": {"essential": True, "value": self.issuer},
                        "aud": {"essential": True, "value": self.client_id},
                    },
                    {"nonce": nonce, "client_id": self.client_id, "access_token": access_token},
                )
                claims.validate(leeway=LEEWAY)
                return dict(claims)
            except (jose_error, ValueError, TypeError, KeyError) as error:
                # The provider may have new keys since these were kept.
                last = error
        log.warning("The provider's token is refused: %s.", type(last).__name__)
        raise SignInRefused("The provider's token of who has signed in is not valid.", code="sign-in-invalid")

    def _with_userinfo(self, claims: dict[str, Any], session: Any) -> dict[str, Any]:
        """The same with what the provider tells of the person elsewhere, where a claim that is mapped is missing."""
        mapped = {self.user_claim, self.groups_claim, self.owner_claim, self.scopes_claim} - {None}
        if mapped <= claims.keys() or not self._description().get("userinfo_endpoint"):
            return claims
        more = self._json(session, self._endpoint("userinfo_endpoint"))
        if more.get("sub") != claims["sub"]:
            raise SignInRefused("The provider tells of somebody else.", code="sign-in-invalid")
        return {**more, **claims}

    def _mapped(self, claims: Mapping[str, Any]) -> SignedIn:
        user, owner = claims.get(self.user_claim), claims.get(self.owner_claim) if self.owner_claim else None
        groups, values = _texts(claims, self.groups_claim), _texts(claims, self.scopes_claim)
        named = [user, *([] if owner is None else [owner]), *groups]
        if not all(isinstance(name, str) and is_person(name) for name in named) or len(groups) > MOST_GROUPS:
            text = f"The provider does not say by usable texts who has signed in (claim {self.user_claim!r})."
            raise SignInRefused(text, code="sign-in-unnamed")
        if self.owner_claim and owner is None:
            raise SignInRefused(f"The claim {self.owner_claim!r} is missing.", code="sign-in-unnamed")
        # A provider may list objects beside texts.
        told = [value for value in values if isinstance(value, str)]
        scopes = frozenset(scope for value in told for scope in self.scopes.get(value, ()))
        return SignedIn(user=str(user), groups=tuple(sorted(set(groups))), scopes=scopes, owner=owner)

    # -- the conversation

    def _talk(self, say: Callable[[], Said]) -> Said:
        """What a conversation comes to; raises ProviderUnavailable where enough are going on, and after ``WHOLE``.

        It has a thread, since neither a name that is looked up nor an answer in many small pieces ends by the timeout
        of a socket. Its turn lasts as long as its thread, so that no provider holds more of these.
        """
        if not self._talking.acquire(timeout=IN_TURN):
            raise ProviderUnavailable("is asked by too many at once")
        said: Future[Said] = Future()

        def talk() -> None:
            try:
                try:
                    found = say()
                finally:
                    self._talking.release()
            except BaseException as error:
                said.set_exception(error)
            else:
                said.set_result(found)

        threading.Thread(target=talk, daemon=True, name="riverstone-sign-in").start()
        try:
            return said.result(WHOLE)
        except TimeoutError:
            raise self._failed("does not answer in time") from None

    def _session(self, redirect_uri: str) -> Any:
        session = import_module("authlib.integrations.requests_client").OAuth2Session(
            self.client_id,
            self.client_secret,
            scope=self.request,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self.client_secret else "none",
        )
        session.max_redirects = 0
        return _strict(session)

    def _description(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0)."""
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = self._known(url)
        if found.get("issuer") != self.issuer:
            raise self._failed("describes another issuer")
        return found

    def _endpoint(self, name: str) -> str:
        found = self._description().get(name)
        if not isinstance(found, str) or not is_safe(found):
            raise self._failed(f"has no {name} over https")
        return found

    def _keys(self, *, fresh: bool) -> dict[str, Any]:
        return self._known(self._endpoint("jwks_uri"), fresh=fresh)

    def _known(self, url: str, *, fresh: bool = False) -> dict[str, Any]:
        now = time.monotonic()
        with self._lock:
            until, found = self._kept.get(url, (0.0, None))
        # A token with a made-up key is no reason to ask again and again.
        if found is not None and (now < until - KEPT + TIMEOUT if fresh else now < until):
            return dict(found)
        read = self._json(_strict(_requests().Session()), url)
        with self._lock:
            self._kept[url] = (now + KEPT, read)
        return read

    def _json(self, session: Any, url: str) -> dict[str, Any]:
        """A JSON object; no larger, no longer and nowhere else than it may be."""

        def read() -> tuple[int, bytes]:
            answer = session.get(url, timeout=TIMEOUT, stream=True, allow_redirects=False)
            return answer.status_code, self._content(answer)

        try:
            status, content = self._talk(read)
        except _requests().RequestException as error:
            raise self._failed("cannot be reached", error) from None
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if status != 200 or not isinstance(found, dict):
            raise self._failed(f"answers {status} without a JSON object")
        return found

    def _whole(self, answer: Any) -> Any:
        """An answer that Authlib asks for, read here since Authlib would read any length of it."""
        whole = _requests().Response()
        whole.status_code, whole.headers, whole.raw = answer.status_code, answer.headers, BytesIO(self._content(answer))
        return whole

    def _content(self, answer: Any) -> bytes:
        end, parts, size = time.monotonic() + WHOLE, [], 0
        with answer:
            for part in answer.iter_content(1024):
                parts.append(part)
                size += len(part)
                if size > LARGEST or time.monotonic() > end:
                    raise self._failed("answers too much or too slowly")
        return b"".join(parts)

    @staticmethod
    def _failed(why: str, error: BaseException | None = None) -> ProviderUnavailable:
        log.warning("The provider of sign-ins %s%s.", why, "" if error is None else f": {type(error).__name__}")
        return ProviderUnavailable(why)


def is_safe(url: str) -> bool:
    """Whether what is said to this address stays between the two: HTTPS, or this machine itself."""
    parts = parts_of(url)
    if parts is None or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.hostname or ""))


def _texts(claims: Mapping[str, Any], name: str | None) -> list[Any]:
    """The values of a claim that lists some, or is one text; without its name none."""
    found = claims.get(name) if name else None
    return [] if found is None else [found] if isinstance(found, str) else found if isinstance(found, list) else [None]


def _strict(session: Any) -> Any:
    """The session, which reads certificates as all other connections do."""

    class Adapter(import_module("requests.adapters").HTTPAdapter):  # type: ignore[misc]
        def init_poolmanager(self, *sizes: int, **options: Any) -> None:
            super().init_poolmanager(*sizes, ssl_context=strictly(SSLContext(PROTOCOL_TLS_CLIENT)), **options)

        def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
            return super().proxy_manager_for(proxy, ssl_context=strictly(SSLContext(PROTOCOL_TLS_CLIENT)), **options)

    session.mount("https://", Adapter())
    return session


def _requests() -> Any:
    return import_module("requests")


def _wrong(text: str) -> Invalid:
    return Invalid(text, code="oidc-invalid")
