"""What providers that lie, pages of other sites and whoever holds a session may try, and do not get."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import OctKey, RSAKey

from riverstone.api import create_app
from riverstone.api.access import openid
from riverstone.api.access.openid import Provider
from riverstone.api.access.rule import Access
from riverstone.api.settings import Settings
from riverstone.engine import Engine, Invalid

from ..api.asking import Client
from .signing_in import OURS, PAGE, SECRET, Liar, asking, lying

INVALID = "/console/#/sign-in/sign-in-invalid"
EXPIRED = "/console/#/sign-in/sign-in-expired"
UNAVAILABLE = "/console/#/sign-in/provider-unavailable"


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying() as liar:
        yield liar


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    with Engine(sqlite) as engine:
        yield engine


@pytest.fixture
def client(engine: Engine, liar: Liar) -> Client:
    return Client(create_app(engine, access=Access(engine, None, asking(liar.issuer))))


def known(client: Client, **headers: str) -> Any:
    return client.get("/client", headers={**PAGE, **headers}, base_url=OURS)


def unsigned(liar: Liar, claims: dict[str, Any]) -> str:
    import base64

    parts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode()
        for each in ({"alg": "none", "kid": "one"}, claims)
    ]
    return ".".join([*parts, ""])


def by_public_key(liar: Liar, claims: dict[str, Any]) -> str:
    """The old trick: what everybody may read as the secret of a symmetric signature."""
    public = liar.key.as_pem(private=False)
    return liar.signed(claims, OctKey.import_key(public, {"kid": "one"}), "HS256")


LIES: dict[str, Callable[[Liar, dict[str, Any]], str]] = {
    "unsigned": unsigned,
    "signed by the client's own secret": lambda liar, claims: liar.signed(
        claims, OctKey.import_key(SECRET + " that is long enough"), "HS256"
    ),
    "signed by a key of the list that everybody knows": lambda liar, claims: liar.signed(
        claims, OctKey.import_key("x" * 32), "HS256", "oct"
    ),
    "signed by somebody else": lambda liar, claims: liar.signed(claims, liar.other),
    "signed by a key that nobody has": lambda liar, claims: liar.signed(
        claims, RSAKey.generate_key(2048), kid="another"
    ),
    "of another issuer": lambda liar, claims: liar.signed({**claims, "iss": "https://evil.example"}),
    "for another client": lambda liar, claims: liar.signed({**claims, "aud": "another"}),
    "for several, and not given to us": lambda liar, claims: liar.signed(
        {**claims, "aud": ["riverstone", "another"], "azp": "another"}
    ),
    "for several, given to nobody": lambda liar, claims: liar.signed({**claims, "aud": ["riverstone", "another"]}),
    "of another sign-in": lambda liar, claims: liar.signed({**claims, "nonce": "another"}),
    "of no sign-in": lambda liar, claims: liar.signed({name: each for name, each in claims.items() if name != "nonce"}),
    "of yesterday": lambda liar, claims: liar.signed({**claims, "exp": int(time.time()) - 3600}),
    "of tomorrow": lambda liar, claims: liar.signed({**claims, "iat": int(time.time()) + 3600}),
    "without an end": lambda liar, claims: liar.signed({name: each for name, each in claims.items() if name != "exp"}),
    "of nobody": lambda liar, claims: liar.signed({name: each for name, each in claims.items() if name != "sub"}),
    "of another access token": lambda liar, claims: liar.signed({**claims, "at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
    "no token": lambda liar, claims: "a.b.c",
    "nothing": lambda liar, claims: "",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_is_not_right_signs_nobody_in(client: Client, engine: Engine, liar: Liar, lie: str) -> None:
    liar.token = lambda claims: LIES[lie](liar, claims)
    assert liar.sign_in(client).headers["Location"] == INVALID
    assert known(client).status_code == 401
    assert engine.sessions.all() == []


def test_the_liar_is_believed_where_it_says_what_is_right(client: Client, liar: Liar) -> None:
    """Or else the tests above would show nothing."""
    assert liar.sign_in(client).headers["Location"] == "/console/"
    assert known(client).json["user"] == "ann"
    exchange = next(values for path, values in liar.asked if path == "/token")
    assert exchange["grant_type"] == ["authorization_code"]
    assert len(exchange["code_verifier"][0]) == 43


def test_new_keys_of_the_provider_are_looked_for_but_not_again_and_again(client: Client, liar: Liar) -> None:
    liar.sign_in(client)
    before = sum(path == "/keys" for path, _ in liar.asked)
    liar.token = LIES["signed by a key that nobody has"].__get__(liar)
    for _ in range(5):
        assert liar.sign_in(client).headers["Location"] == INVALID
    assert sum(path == "/keys" for path, _ in liar.asked) - before <= 1


@pytest.mark.parametrize(
    ("path", "answer", "place"),
    [
        ("/token", (500, b"{}", {}), UNAVAILABLE),
        ("/token", (200, b"[]", {}), INVALID),
        ("/token", (200, b"no JSON", {}), INVALID),
        ("/token", (302, b"", {"Location": "http://169.254.169.254/"}), UNAVAILABLE),
        ("/token", (200, b'{"access_token": "at", "token_type": "Bearer", "id_token": {"a": 1}}', {}), INVALID),
        ("/token", (400, b'{"error": "invalid_grant"}', {}), INVALID),
        ("/token", (200, b" " * 600_000, {}), UNAVAILABLE),
        ("/keys", (200, b"{}", {}), INVALID),
        ("/keys", (302, b"", {"Location": "http://169.254.169.254/"}), UNAVAILABLE),
        ("/keys", (200, b'{"keys": "none"}', {}), INVALID),
        ("/keys", (200, b" " * 600_000, {}), UNAVAILABLE),
        ("/keys", (200, b"[" * 100_000, {}), UNAVAILABLE),
    ],
)
def test_nonsense_of_the_provider_is_no_fault_of_the_server(
    client: Client, liar: Liar, path: str, answer: tuple[int, bytes, dict[str, str]], place: str
) -> None:
    liar.says[path] = lambda: answer
    assert liar.sign_in(client).headers["Location"] == place
    assert known(client).status_code == 401


NO_TEXTS: list[Any] = [[{"name": "ops"}], [["ops"]], [None], {"ops": 1}, [1.5], 5, True]


def test_what_a_claim_of_scopes_lists_beside_texts_gives_nothing(engine: Engine, liar: Liar) -> None:
    """A provider may tell of a role by an object (RFC 7643, 4.1.2)."""
    provider = asking(liar.issuer, scopes_claim="roles", groups_claim=None)
    client = Client(create_app(engine, access=Access(engine, None, provider)))
    for values in NO_TEXTS:
        liar.token = lambda claims, values=values: liar.signed({**claims, "roles": values})  # type: ignore[misc]

        assert liar.sign_in(client).headers["Location"] == "/console/", values
        assert known(client).json["scopes"] == []


def test_a_claim_of_another_type_is_no_fault_of_the_server(client: Client, liar: Liar) -> None:
    for name in ("iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "groups"):
        for value in (*NO_TEXTS, -1, 1e300, "", "x" * 300):
            liar.token = lambda claims, changed=(name, value): liar.signed(  # type: ignore[misc]
                {**claims, changed[0]: changed[1]}
            )

            assert liar.sign_in(client).status_code == 302, (name, value)


def test_a_description_of_another_issuer_or_in_clear_text_is_not_followed(client: Client, liar: Liar) -> None:
    where = "/.well-known/openid-configuration"
    for more in (
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "http://evil.example/auth"},
        {"authorization_endpoint": None},
    ):
        liar.says[where] = lambda more=more: (200, json.dumps({**liar.description(), **more}).encode(), {})  # type: ignore[misc]
        other = Client(
            create_app(
                client.application.extensions["riverstone"],
                access=Access(client.application.extensions["riverstone"], None, asking(liar.issuer)),
            )
        )
        assert other.get("/session/begin", base_url=OURS).headers["Location"] == UNAVAILABLE


def test_an_answer_of_another_provider_is_refused(client: Client, liar: Liar) -> None:
    assert liar.sign_in(client, iss="https://evil.example").headers["Location"] == INVALID
    assert not any(path == "/token" for path, _ in liar.asked)
    assert liar.sign_in(client, iss=liar.issuer).headers["Location"] == "/console/"


def test_somebody_elses_code_does_not_sign_in_this_browser(engine: Engine, liar: Liar, client: Client) -> None:
    """A page sends the browser of ann to what eve has begun, so that ann would work in eve's session."""
    eve = Client(create_app(engine, access=Access(engine, None, asking(liar.issuer))))
    begun = eve.get("/session/begin", base_url=OURS)
    query = parse_qs(urlsplit(begun.headers["Location"]).query)
    told = {"state": query["state"][0], "code": "c"}
    assert client.get("/session/return", query_string=told, base_url=OURS).headers["Location"] == EXPIRED
    client.get("/session/begin", base_url=OURS)
    assert client.get("/session/return", query_string=told, base_url=OURS).headers["Location"] == EXPIRED
    for more in ({}, {"state": ""}, {"state": "é"}, {"state": "x" * 5000}, {"state": ["a", "b"]}):
        answer = client.get("/session/return", query_string={"code": "c", **more}, base_url=OURS)
        assert answer.headers["Location"] == EXPIRED
    assert engine.sessions.all() == []


def test_a_sign_in_that_has_lain_around_is_over(
    client: Client, engine: Engine, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = client.get("/session/begin", base_url=OURS)
    state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    told = {"state": state, "code": "c"}
    assert client.get("/session/return", query_string=told, base_url=OURS).headers["Location"] == EXPIRED
    (entry,) = engine.audit.entries().items
    assert (entry.client, entry.action, entry.outcome) == ("unknown", "sign-in", "sign-in-expired")


def test_the_server_that_takes_a_sign_in_may_have_a_clock_that_is_behind(
    client: Client, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom the provider knows already is back at once, perhaps at another server."""
    begun = client.get("/session/begin", base_url=OURS)
    query = parse_qs(urlsplit(begun.headers["Location"]).query)
    liar.nonce = query["nonce"][0]
    behind = time.time() - 3
    with monkeypatch.context() as patch:
        patch.setattr("riverstone.api.access.browser_session.time.time", lambda: behind)
        told = {"state": query["state"][0], "code": "c"}
        assert client.get("/session/return", query_string=told, base_url=OURS).headers["Location"] == "/console/"


# -- what a session is good for


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-origin", "X-Riverstone-CSRF": ""},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": ""},
    ],
)
@pytest.mark.parametrize("path", ["/client", "/process", "/openapi.json"])
def test_a_session_counts_for_no_page_of_another_site(
    client: Client, liar: Liar, headers: dict[str, str], path: str
) -> None:
    liar.sign_in(client)
    assert known(client).status_code == 200
    answer = client.get(path, headers={**PAGE, **headers}, base_url=OURS)
    assert (answer.status_code, answer.json["code"]) == (403, "foreign-page")


def test_a_form_of_another_site_starts_nothing(client: Client, liar: Liar, engine: Engine) -> None:
    liar.sign_in(client)
    forms: list[dict[str, Any]] = [
        {"data": b'{"key": "shop"}', "content_type": "text/plain"},
        {"data": {"key": "shop"}},
        {"json": {"key": "shop", "processName": "x", "variables": {}}},
    ]
    for form in forms:
        answer = client.post("/process", headers={"Origin": "https://evil.example"}, base_url=OURS, **form)
        assert answer.status_code == 403
    assert client.delete("/session", headers={"Origin": "https://evil.example"}, base_url=OURS).status_code == 403
    assert len(engine.sessions.all()) == 1


@pytest.mark.parametrize(
    "path", ["/engine-rest/version", "/engine-rest/deployment", "/v2/topology", "/metrics", "/v2/nothing"]
)
def test_a_session_is_nothing_to_machines_interfaces(client: Client, liar: Liar, path: str) -> None:
    provider = asking(liar.issuer, scopes={"ops": frozenset({"admin"})})
    engine = client.application.extensions["riverstone"]
    admin = Client(create_app(engine, access=Access(engine, None, provider)))
    liar.sign_in(admin)
    assert known(admin).json["scopes"] != []
    answer = admin.get(path, headers=PAGE, base_url=OURS)
    assert answer.status_code in (401, 404)
    if path != "/v2/nothing":
        assert answer.status_code == 401


def test_a_session_tells_a_callback_nothing(client: Client, liar: Liar) -> None:
    liar.sign_in(client)
    for path in ("/callback/rst_1_1_x", "/task/1/complete"):
        answer = client.post(path, json={}, headers=PAGE, base_url=OURS)
        assert (answer.status_code, answer.json["code"]) in (
            (404, "unknown-token"),
            (401, "token-invalid"),
            (401, "access-required"),
        ), answer.json


def test_a_key_that_is_sent_counts_and_not_the_session_beside_it(client: Client, liar: Liar, engine: Engine) -> None:
    liar.sign_in(client)
    _, key = engine.keys.add("shop", scopes=["read"])
    assert known(client, Authorization=f"Bearer {key}").json["name"] == "key:shop"
    assert known(client, Authorization="Bearer rsk_wrong").status_code == 401


@pytest.mark.parametrize("text", ["", "x", "rss_000000000000_" + "A" * 43, "rss_'--_" + "A" * 43, "rsk_" + "A" * 43])
def test_a_made_up_session_is_none(client: Client, text: str) -> None:
    client.set_cookie("riverstone", text, domain="127.0.0.1")
    assert known(client).status_code == 401


def test_nothing_secret_of_a_sign_in_is_in_the_log(
    client: Client, liar: Liar, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "riverstone"):
        back = liar.sign_in(client, code="the-code-of-ann")
        known(client)
        liar.token = LIES["signed by somebody else"].__get__(liar)
        liar.sign_in(client, code="the-code-of-ann")
    session = next(each for each in back.headers.getlist("Set-Cookie") if each.startswith("riverstone="))
    for secret in (session.partition(";")[0].rpartition("_")[2], "the-code-of-ann", SECRET, liar.nonce):
        assert secret not in caplog.text


def test_people_sign_in_over_https_or_on_this_machine(engine: Engine, liar: Liar, client: Client) -> None:
    answer = client.get("/session/begin", base_url="http://evil.example")
    assert answer.headers["Location"] == "/console/#/sign-in/public-url-missing"
    for issuer in ("http://login.example.com", "https://login.example.com/?x", "ftp://x", ""):
        with pytest.raises(Invalid):
            Provider(issuer=issuer, client_id="riverstone")
    with pytest.raises(Invalid, match="openid"):
        Provider(issuer=liar.issuer, client_id="riverstone", request="profile")
    with pytest.raises(Invalid, match="'everything'"):
        asking(liar.issuer, scopes={"ops": frozenset({"everything"})})


def test_it_is_set_from_a_file_or_the_environment(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(
        'public_url = "https://bpm.example.com"\n[oidc]\nissuer = "https://login.example.com"\nclient_id = "r"\n'
        'groups_claim = "groups"\nscopes_claim = "groups"\n[oidc.scopes]\nops = "read run"\n"Key Accounts" = "read"\n'
    )
    monkeypatch.setenv("RIVERSTONE_OIDC_CLIENT_SECRET", "s")
    found = Settings.read(file=str(file)).oidc
    assert found is not None
    assert (found.issuer, found.client_secret) == ("https://login.example.com", "s")
    assert found.scopes == {"ops": {"read", "run"}, "Key Accounts": {"read"}}
    assert "s" not in repr(found).split("client_secret")[-1][:3]
    monkeypatch.setenv("RIVERSTONE_OIDC_SCOPES", "admins=admin,ops=read run")
    assert Settings.read(file=str(file)).oidc.scopes == {"admins": {"admin"}, "ops": {"read", "run"}}  # type: ignore[union-attr]
    monkeypatch.setenv("RIVERSTONE_PUBLIC_URL", "http://bpm.example.com")
    with pytest.raises(Invalid, match="https"):
        Settings.read(file=str(file))
    for impossible in ("https://[", "https://bpm.example.com:99999", "https://bpm.example.com:a"):
        monkeypatch.setenv("RIVERSTONE_PUBLIC_URL", impossible)
        with pytest.raises(Invalid, match="public_url"):
            Settings.read(file=str(file))
    monkeypatch.delenv("RIVERSTONE_PUBLIC_URL")
    file.write_text('[oidc]\nissuer = "https://login.example.com"\ncolour = "red"\n')
    with pytest.raises(Invalid, match="colour"):
        Settings.read(file=str(file))


def test_a_provider_that_hangs_holds_few_threads_of_the_server(client: Client, liar: Liar, engine: Engine) -> None:
    """Whoever comes while enough wait for it is told at once, so that the server goes on answering."""
    let_go, asked = threading.Event(), threading.Semaphore(0)

    def hang() -> tuple[int, bytes, dict[str, str]]:
        asked.release()
        let_go.wait(30)
        return 500, b"{}", {}

    app = client.application
    liar.sign_in(client)
    liar.says["/token"] = hang
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(liar.sign_in, Client(app)) for _ in range(openid.AT_ONCE)]
        for _ in waiting:
            assert asked.acquire(timeout=30)
        assert liar.sign_in(Client(app)).headers["Location"] == UNAVAILABLE
        let_go.set()
        assert {each.result(60).headers["Location"] for each in waiting} == {UNAVAILABLE}


@pytest.mark.parametrize("path", ["/token", "/keys"])
def test_a_provider_whose_answer_comes_in_drops_is_not_waited_for(
    client: Client, liar: Liar, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Each drop came before the timeout of a socket, and nothing looked at the clock before there were 16,384."""
    monkeypatch.setattr(openid, "WHOLE", 0.5)
    let_go, answer = threading.Event(), liar.answer

    def drip(handler: BaseHTTPRequestHandler) -> None:
        if handler.path != path:
            answer(handler)
            return
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not let_go.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    monkeypatch.setattr(liar, "answer", drip)
    try:
        assert liar.sign_in(client).headers["Location"] == UNAVAILABLE
    finally:
        let_go.set()


@pytest.mark.parametrize("address", ["https://[", "https://login.example.com:99999/", "https://login.example.com:a/"])
def test_an_address_of_the_provider_that_is_none_is_told_as_that(client: Client, liar: Liar, address: str) -> None:
    says = {**liar.description(), "authorization_endpoint": address, "end_session_endpoint": address}
    liar.says["/.well-known/openid-configuration"] = lambda: (200, json.dumps(says).encode(), {})
    assert client.get("/session/begin", base_url=OURS).headers["Location"] == UNAVAILABLE
    assert client.get("/session/end", base_url=OURS).headers["Location"] == "/console/"
