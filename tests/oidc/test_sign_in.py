"""People sign in with a provider of OpenID Connect, and what their session lets them do and not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from riverstone.api import create_app
from riverstone.api.access.rule import Access
from riverstone.engine import Engine, VirtualClock

from ..api.asking import Client
from ..features.sketch import line
from .signing_in import OURS, PAGE, asking, at_provider, come_back, honest, lying, sign_in

HOUR = 3600


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with honest() as issuer:
        yield issuer


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def engine(sqlite: str, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(sqlite, clock=clock) as engine:
        yield engine


def browser(engine: Engine, issuer: str, **more: Any) -> Client:
    return Client(create_app(engine, access=Access(engine, None, asking(issuer, **more))))


def known(client: Client) -> Any:
    return client.get("/client", headers=PAGE, base_url=OURS)


def test_a_person_signs_in_works_and_signs_out(engine: Engine, issuer: str) -> None:
    engine.deploy(line("shop", '<userTask id="a"/>'))
    client = browser(engine, issuer)
    assert known(client).status_code == 401
    back = sign_in(client, "ann")
    assert (back.status_code, back.headers["Location"]) == (302, "/console/")
    told = known(client).json
    assert (told["name"], told["user"], told["groups"]) == ("user:ann", "ann", ["Key Accounts", "ops"])
    assert (told["scopes"], told["owner"]) == (["read", "run"], "user:ann")
    body = {"key": "shop", "processName": "x", "variables": {}}
    begun = client.post("/process", json=body, headers=PAGE, base_url=OURS)
    assert begun.status_code == 200
    assert engine.owner_of(begun.json["processInstanceId"]) == "user:ann"
    assert client.delete("/session", headers=PAGE, base_url=OURS).status_code == 204
    assert known(client).status_code == 401
    assert engine.sessions.all() == []
    told = {(entry.action, entry.client, entry.person) for entry in engine.audit.entries().items}
    assert {("sign-in", "user:ann", "ann"), ("sign-out", "user:ann", "ann")} <= told


def test_who_signs_in_once_more_leaves_no_session_behind(engine: Engine, issuer: str) -> None:
    """Signing out ended the last one alone, and a copy of an earlier cookie went on for hours."""
    client, elsewhere = browser(engine, issuer), browser(engine, issuer)
    sign_in(elsewhere, "ann")
    sign_in(client, "ann")
    former = client.get_cookie("riverstone", domain="127.0.0.1")
    assert former is not None
    sign_in(client, "bob")
    assert sorted(each.user for each in engine.sessions.all()) == ["ann", "bob"]
    assert engine.sessions.find(former.value) is None
    assert known(elsewhere).json["user"] == "ann"
    # Nor one that has not come in.
    sign_in(client, None)
    assert known(client).json["user"] == "bob"


def left(client: Client) -> str:
    """Where a browser is led that has signed out."""
    answer = client.get("/session/end", base_url=OURS)
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def test_who_signs_out_is_led_to_the_provider_to_sign_out_there_too(engine: Engine, issuer: str) -> None:
    client = browser(engine, issuer)
    sign_in(client, "ann")
    client.delete("/session", headers=PAGE, base_url=OURS)
    there = urlsplit(left(client))
    assert f"{there.scheme}://{there.netloc}" == issuer
    told = {"client_id": ["riverstone"], "post_logout_redirect_uri": [f"{OURS}/console/"]}
    assert parse_qs(there.query) == told
    # Any page can lead there, so it ends nothing here.
    sign_in(client, "ann")
    left(client)
    assert known(client).status_code == 200
    assert left(browser(engine, issuer, sign_out="here")) == "/console/"


def test_a_provider_that_ends_no_session_or_does_not_answer_keeps_nobody_signed_in(engine: Engine) -> None:
    with lying() as liar:
        assert left(browser(engine, liar.issuer)) == "/console/"
        says = {**liar.description(), "end_session_endpoint": "http://example.com/out"}
        liar.says["/.well-known/openid-configuration"] = lambda: (200, json.dumps(says).encode(), {})
        assert left(browser(engine, liar.issuer)) == "/console/"
        says["end_session_endpoint"] = f"{liar.issuer}/out?tenant=a&x=1"
        there = urlsplit(left(browser(engine, liar.issuer)))
        assert (there.path, parse_qs(there.query)["tenant"]) == ("/out", ["a"])
        liar.says["/.well-known/openid-configuration"] = lambda: (500, b"", {})
        assert left(browser(engine, liar.issuer)) == "/console/#/sign-in/sign-out-unfinished"


def test_claims_that_are_not_mapped_give_nothing(engine: Engine, issuer: str) -> None:
    bare = browser(engine, issuer, user_claim="sub", groups_claim=None, scopes_claim=None, scopes={})
    assert sign_in(bare, "ann").headers["Location"] == "/console/"
    told = known(bare).json
    assert (told["user"], told["groups"], told["scopes"], told["owner"]) == ("ann", [], [], "user:ann")
    assert bare.get("/process", headers=PAGE, base_url=OURS).status_code == 403
    other = browser(engine, issuer)
    sign_in(other, "bob")
    assert (known(other).json["groups"], known(other).json["scopes"]) == (["buyers"], [])
    team = browser(engine, issuer, owner_claim="team")
    sign_in(team, "ann")
    assert known(team).json["owner"] == "north"


def test_who_cannot_be_named_gets_no_session(engine: Engine, issuer: str) -> None:
    for more in ({"user_claim": "nickname"}, {"owner_claim": "team"}):
        client = browser(engine, issuer, **more)
        assert sign_in(client, "bob").headers["Location"] == "/console/#/sign-in/sign-in-unnamed"
        assert known(client).status_code == 401
    client = browser(engine, issuer, owner_claim="team")
    assert sign_in(client, "eve").headers["Location"] == "/console/#/sign-in/sign-in-unnamed"
    assert engine.sessions.all() == []


def test_claims_in_the_token_itself_are_read_too(engine: Engine) -> None:
    with honest("http://127.0.0.1:18080/session/return", "{}", "no") as issuer:
        client = browser(engine, issuer)
        sign_in(client, "ann")
        assert known(client).json["groups"] == ["Key Accounts", "ops"]


def test_a_client_of_the_provider_without_a_secret_proves_itself_by_pkce_alone(engine: Engine) -> None:
    public = '{"token_endpoint_auth_method": "none", "client_secret": null}'
    with honest("http://127.0.0.1:18080/session/return", public) as issuer:
        client = browser(engine, issuer, client_secret=None)
        sign_in(client, "ann")
        assert known(client).json["user"] == "ann"


def test_one_who_changes_their_mind_is_told_so(engine: Engine, issuer: str) -> None:
    client = browser(engine, issuer)
    assert sign_in(client, None).headers["Location"] == "/console/#/sign-in/sign-in-refused"
    assert known(client).status_code == 401


def test_the_cookie_is_for_this_host_and_no_script(engine: Engine, issuer: str) -> None:
    back = sign_in(browser(engine, issuer), "ann")
    session = next(each for each in back.headers.getlist("Set-Cookie") if each.startswith("riverstone=rss_"))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert "Path=/" in session
    assert "Domain" not in session
    provider = asking(issuer)
    secure = Client(create_app(engine, access=Access(engine, None, provider, "https://bpm.example.com/engine")))
    begun = secure.get("/session/begin", base_url="http://10.0.0.1:8080")
    query = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert query["redirect_uri"] == ["https://bpm.example.com/engine/session/return"]
    assert query["code_challenge_method"] == ["S256"]
    (cookie,) = begun.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-riverstone-sign-in=")
    assert "Secure" in cookie


def test_behind_a_proxy_that_takes_a_part_of_the_path_off_it_leads_back_there(engine: Engine) -> None:
    with lying() as liar:
        access = Access(engine, None, asking(liar.issuer), "https://bpm.example.com/engine/")
        client = Client(create_app(engine, access=access))
        assert client.get("/session/return", base_url=OURS).headers["Location"] == (
            "/engine/console/#/sign-in/sign-in-expired"
        )
        assert liar.sign_in(client).headers["Location"] == "/engine/console/"


@pytest.mark.parametrize("told", ["https://BPM.example.com:443/engine", "https://bpm.example.com"])
def test_a_page_is_of_this_server_however_its_address_is_written(engine: Engine, told: str) -> None:
    with lying() as liar:
        client = Client(create_app(engine, access=Access(engine, None, asking(liar.issuer), told)))
        liar.sign_in(client)
        asked = {**PAGE, "Origin": "https://bpm.example.com"}
        assert client.get("/client", headers=asked, base_url=OURS).json["user"] == "ann"
        for other in ("https://bpm.example.com:8443", "http://bpm.example.com", "https://bpm.example.com.evil.example"):
            foreign = client.get("/client", headers={**PAGE, "Origin": other}, base_url=OURS)
            assert foreign.json["code"] == "foreign-page"


def test_a_session_ends_when_nobody_uses_it_and_after_a_week(engine: Engine, clock: VirtualClock, issuer: str) -> None:
    client = browser(engine, issuer)
    sign_in(client, "ann")
    clock.advance(7 * HOUR)
    assert known(client).status_code == 200
    clock.advance(7 * HOUR)
    # What the page asks by itself keeps no session alive.
    quiet = {**PAGE, "If-None-Match": '"x"'}
    assert client.get("/process", headers=quiet, base_url=OURS).status_code == 200
    clock.advance(HOUR)
    assert known(client).json["code"] == "session-over"
    sign_in(client, "ann")
    for _ in range(7 * 24 // 6):
        assert known(client).status_code == 200
        clock.advance(6 * HOUR)
    assert known(client).status_code == 401


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_every_engine_sees_a_session_and_its_end_at_once(kind: str, tmp_path: Any, issuer: str) -> None:
    from ..models.stores import fresh

    with fresh(kind, tmp_path) as url, Engine(url) as one, Engine(url) as other:
        here, there = browser(one, issuer), browser(other, issuer)
        begun = here.get("/session/begin", base_url=OURS)
        for cookie in begun.headers.getlist("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            there.set_cookie(name, value, domain="127.0.0.1")
        # The one leads there, and the other takes whoever comes back.
        back = come_back(there, at_provider(begun.headers["Location"], "ann"))
        cookie = next(each for each in back.headers.getlist("Set-Cookie") if each.startswith("riverstone="))
        here.set_cookie("riverstone", cookie.partition(";")[0].partition("=")[2], domain="127.0.0.1")
        assert known(here).json["user"] == known(there).json["user"] == "ann"
        assert one.sessions.revoke("ann") == 1
        assert [known(here).status_code, known(there).status_code] == [401, 401]


def test_the_store_has_no_session_that_could_be_used(engine: Engine, issuer: str) -> None:
    client = browser(engine, issuer)
    back = sign_in(client, "ann")
    cookie = next(each for each in back.headers.getlist("Set-Cookie") if each.startswith("riverstone="))
    secret = cookie.partition(";")[0].rpartition("_")[2]
    rows = engine._store.read("SELECT `digest`, `id`, `user_name` FROM `browser_session`")
    assert len(rows) == 1
    assert secret not in str(rows)


def test_sessions_are_listed_and_ended_by_command(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from riverstone.api.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["--db", "sqlite:///cli.db", "session", *arguments])
        assert result.exit_code == code, result.output
        return result.output

    with Engine("sqlite:///cli.db") as engine:
        one, text = engine.sessions.begin("ann", groups=["ops"], scopes=["run", "read"])
        engine.sessions.begin("ann")
        other, _ = engine.sessions.begin("bob")
        head, *lines = run("list").splitlines()
        assert head.split() == ["ID", "SINCE", "USED", "USER", "SCOPES", "GROUPS"]
        assert len(lines) == 3
        assert lines[0].startswith(one.session_id)
        assert lines[0].split()[-3:] == ["ann", "read,run", "ops"]
        assert "Ended 1 session of" in run("revoke", other.session_id)
        assert "Ended 2 sessions of ann" in run("revoke", "ann")
        assert engine.sessions.find(text) is None
        assert "list the sessions" in run("revoke", "ann", code=1)
        assert run("list") == "Nobody is signed in.\n"
