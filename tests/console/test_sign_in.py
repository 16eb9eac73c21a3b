"""Somebody signs in to the console with a real browser, at a provider of OpenID Connect, and signs out again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from riverstone.api import create_app
from riverstone.api.access.rule import Access
from riverstone.api.server import Server
from riverstone.engine import Engine

from ..features.sketch import line
from ..oidc.signing_in import asking, honest
from .looking import Looker

RIGHTS = frozenset({"read", "run", "deploy"})

ASKS_STREET = (
    '<extensionElements><camunda:formData><camunda:formField id="street" label="Street" type="string"/>'
    "</camunda:formData></extensionElements>"
)


class Later:
    """An application that is known once its address is: the provider has to know that too."""

    app: Flask

    def __call__(self, environ: Any, start: Any) -> Any:
        return self.app(environ, start)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Engine, str, str]]:
    later = Later()
    server = Server(cast("Flask", later), "127.0.0.1", 0)
    with (
        Engine(f"sqlite:///{tmp_path / 'store.db'}", dispatcher="threads") as engine,
        honest(f"{server.url}/session/return") as issuer,
    ):
        later.app = create_app(
            engine, access=Access(engine, None, asking(issuer, scopes=dict.fromkeys(("ops", "buyers"), RIGHTS)))
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        yield engine, server.url, issuer
        server.stop()
        thread.join()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_a_person_signs_in_sees_their_own_and_signs_out(
    browser: Browser, served: tuple[Engine, str, str], language: str
) -> None:
    engine, url, issuer = served
    enter, leave, hint = ("Sign in", "Sign out", "those who have signed in")
    if language == "zh-CN":
        enter, leave, hint = ("登录", "退出登录", "已登录")
    with Looker(browser, url, language=language) as looker:
        looker.go()
        looker.sees(hint)
        assert looker.barriers() == []
        looker.keep(f"sign-in-{language}")
        # One who has changed their mind is told so, and tries again.
        looker.link(enter).click()
        expect(looker.page.get_by_role("alert")).to_be_visible()
        assert "#/sign-in/sign-in-refused" in looker.page.url
        assert looker.barriers() == []
        looker.context.add_cookies([{"name": "person", "value": "ann", "url": issuer}])
        looker.link(enter).click()
        expect(looker.button(leave)).to_be_visible()
        looker.sees("ann", exact=True)
        assert looker.barriers() == []
        looker.keep(f"signed-in-{language}")
        stored = looker.page.evaluate("() => [JSON.stringify({...localStorage, ...sessionStorage}), document.cookie]")
        assert not [text for text in stored if "rss_" in text]
        looker.page.reload()
        # The server is away for a moment: nobody is told that the session is over.
        looker.page.route("**/session", lambda route: route.abort())
        looker.button(leave).click()
        expect(looker.page.get_by_role("alert")).to_be_visible()
        assert len(engine.sessions.all()) == 1
        looker.page.unroute("**/session")
        looker.button(leave).click()
        # The provider asks whether to sign out there too, and does not know Ann any more.
        looker.page.locator("button[name=logout]").click()
        looker.sees(hint)
        assert engine.sessions.all() == []
        looker.context.clear_cookies(name="person")
        looker.link(enter).click()
        expect(looker.page.get_by_role("alert")).to_be_visible()
        # The provider alone was asked beside this server.
        looker.wrong = [each for each in looker.wrong if not each.startswith(f"asked {issuer}/")]


def test_a_session_that_is_revoked_is_over_at_once(browser: Browser, served: tuple[Engine, str, str]) -> None:
    engine, url, issuer = served
    with Looker(browser, url) as looker:
        looker.context.add_cookies([{"name": "person", "value": "ann", "url": issuer}])
        looker.go()
        looker.link("Sign in").click()
        expect(looker.button("Sign out")).to_be_visible()
        engine.sessions.revoke("ann")
        looker.page.reload()
        looker.sees("Your session is over.")
        expect(looker.link("Sign in")).to_be_visible()
        looker.wrong = [each for each in looker.wrong if not each.startswith(f"asked {issuer}/")]


def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(
    browser: Browser, served: tuple[Engine, str, str]
) -> None:
    engine, url, issuer = served
    engine.deploy(line("moves", f'<userTask id="ask" name="Where to?" camunda:assignee="ann">{ASKS_STREET}</userTask>'))
    number = engine.start(key="moves", name="A move").process_instance_id
    (task,) = engine.tasks(number)
    with Looker(browser, url) as looker:
        looker.context.add_cookies([{"name": "person", "value": "ann", "url": issuer}])
        # From a mail, by somebody who has not signed in yet.
        looker.go(f"#/task/{task.task_id}")
        looker.link("Sign in").click()
        looker.field("Street").fill("Main Street 1")
        engine.sessions.revoke("ann")
        looker.button("Complete").click()
        looker.sees("Your session is over.")
        looker.link("Sign in").click()
        expect(looker.field("Street")).to_have_value("Main Street 1")
        looker.button("Complete").click()
        looker.sees("Where to? is done.")
        looker.wrong = [each for each in looker.wrong if not each.startswith(f"asked {issuer}/")]
    assert dict(engine.variables(number))["street"] == "Main Street 1"


def test_a_session_that_ends_while_somebody_draws_loses_nothing_and_shows_it_to_nobody_else(
    browser: Browser, served: tuple[Engine, str, str]
) -> None:
    engine, url, issuer = served
    model_id = engine.save_model(line("moves", '<userTask id="ask" name="Where to?"/>')).model_id

    def come(looker: Looker, person: str) -> None:
        looker.context.clear_cookies(name="person")
        looker.context.clear_cookies(domain=urlsplit(issuer).hostname)
        looker.context.add_cookies([{"name": "person", "value": person, "url": issuer}])
        looker.go(f"#/edit/{model_id}")
        looker.link("Sign in").click()
        expect(looker.page.locator(".designer-canvas[data-ready]")).to_be_visible()
        looker.page.locator('.designer-canvas .djs-element[data-element-id="ask"] > .djs-hit').first.click()

    with Looker(browser, url) as looker:
        come(looker, "ann")
        engine.sessions.revoke("ann")
        looker.field("Name", exact=True).fill("Whereto does she move?")
        looker.sees("Your session is over.")
        come(looker, "bob")
        expect(looker.page.locator(".designer-panel-head h2")).to_have_text("Where to?")
        engine.sessions.revoke("bob")
        looker.page.reload()
        looker.sees("Your session is over.")
        come(looker, "ann")
        looker.sees("is here again")
        expect(looker.page.locator(".designer-panel-head h2")).to_have_text("Whereto does she move?")
        looker.sees("draft kept")
        looker.wrong = [each for each in looker.wrong if not each.startswith(f"asked {issuer}/")]
    assert "Whereto does she move?" in engine.draft(model_id).files[0]


def test_what_somebody_has_typed_is_not_shown_to_the_next_one_at_their_browser(
    browser: Browser, served: tuple[Engine, str, str]
) -> None:
    engine, url, issuer = served
    engine.deploy(
        line("moves", f'<userTask id="ask" name="Where to?" camunda:candidateUsers="ann, bob">{ASKS_STREET}</userTask>')
    )
    (task,) = engine.tasks(engine.start(key="moves", name="A move").process_instance_id)

    def come(looker: Looker, person: str) -> None:
        looker.context.clear_cookies(name="person")
        looker.context.clear_cookies(domain=urlsplit(issuer).hostname)
        looker.context.add_cookies([{"name": "person", "value": person, "url": issuer}])
        looker.go(f"#/task/{task.task_id}")
        looker.link("Sign in").click()

    with Looker(browser, url) as looker:
        come(looker, "ann")
        looker.field("Street").fill("Main Street 1")
        engine.sessions.revoke("ann")
        looker.page.reload()
        looker.sees("Your session is over.")
        come(looker, "bob")
        expect(looker.field("Street")).to_have_value("")
        looker.field("Street").fill("Side Street 2")
        looker.button("Sign out").click()
        looker.page.locator("button[name=logout]").click()
        looker.sees("those who have signed in")
        assert looker.page.evaluate("() => JSON.stringify({...sessionStorage})") == "{}"
        looker.wrong = [each for each in looker.wrong if not each.startswith(f"asked {issuer}/")]
