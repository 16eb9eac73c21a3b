"""The console for everybody: two languages, a phone, a keyboard, a screen reader, and clients who may not do all."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from riverstone.bpmn_samples import path

from .conftest import Studio
from .looking import Looker
from .test_stories import TEMPLATE

VARIABLES = {"regionId": "bcc", "projectId": "11111", "password": "s3cret!"}
Bring = Callable[..., Looker]


@pytest.fixture
def furnished(studio: Studio) -> dict[str, str]:
    """Ids of processes of several kinds: one paused, one rolled back, one that waits, and the model."""
    app = studio.engine.deploy(path("app_server"), parameter_template=TEMPLATE)
    studio.engine.deploy(path("message"))
    failing = {**VARIABLES, "installMysql": {"diskNeeded": 900}}
    ids = {
        "paused": studio.engine.start(model_id=app.model_id, name="trial", variables=failing),
        "rolled": studio.engine.start(key="app-server", name="shop", variables=failing, business_key="order-1"),
        "waiting": studio.engine.start(key="message", name="waits", variables={}),
    }
    for name in ("paused", "rolled"):
        studio.engine.wait(ids[name].process_instance_id, timeout=60)
    return {"model": app.model_id, **{name: instance.process_instance_id for name, instance in ids.items()}}


def places(ids: dict[str, str]) -> dict[str, str]:
    """Every page, with what is on it once it is there."""
    return {
        "#/processes": ".processes tbody tr",
        f"#/process/{ids['paused']}": ".djs-element.is-failed",
        f"#/process/{ids['rolled']}": ".panel:nth-child(2) .djs-element.is-success",
        f"#/process/{ids['waiting']}": ".djs-element.is-waiting",
        "#/models": ".models tbody tr",
        f"#/model/{ids['model']}": ".djs-element",
        "#/stones": ".stone",
        "#/signals": "form",
        "#/start?key=app-server": ".template",
        "#/nowhere": "h1",
    }


def named(place: str, ids: dict[str, str]) -> str:
    """What a picture of this place is called, whatever ids there are."""
    kind, _, identifier = place.removeprefix("#/").partition("?")[0].partition("/")
    names = [name for name, known in ids.items() if identifier == known]
    return "-".join([kind, *(name for name in names if name != kind)])


def test_no_page_keeps_anybody_out(furnished: dict[str, str], looker: Looker) -> None:
    found: dict[str, list[str]] = {}
    for place, there in places(furnished).items():
        looker.go(place)
        expect(looker.page.locator(there).first).to_be_visible()
        if "/process/" in place:
            looker.page.locator(".opener").last.click()
        found[place] = looker.barriers()
        looker.keep(f"light-{named(place, furnished)}")
    looker.go(f"#/process/{furnished['paused']}")
    for name in ("Run again…", "Delete…"):
        looker.button(name, exact=True).first.click()
        expect(looker.page.get_by_role("dialog")).to_be_visible()
        found[name] = looker.barriers()
        looker.page.keyboard.press("Escape")
    looker.go("#/models")
    looker.button("Upload…").click()
    found["upload"] = looker.barriers()

    assert {place: barriers for place, barriers in found.items() if barriers} == {}


def test_in_the_dark_everything_can_be_read(furnished: dict[str, str], somebody: Bring) -> None:
    looker = somebody(colours="dark")
    for place, there in places(furnished).items():
        looker.go(place)
        expect(looker.page.locator(there).first).to_be_visible()
        looker.keep(f"dark-{named(place, furnished)}")
        if place.startswith(("#/process", "#/start")):
            assert looker.barriers("color-contrast") == [], place


def test_a_phone_shows_every_page_without_moving_it_sideways(furnished: dict[str, str], somebody: Bring) -> None:
    looker = somebody(width=390, height=844)
    for place, there in places(furnished).items():
        looker.go(place)
        expect(looker.page.locator(there).first).to_be_attached()
        looker.keep(f"phone-{named(place, furnished)}", whole=True)
        assert looker.overflow <= 0, place
    looker.go(f"#/process/{furnished['paused']}")
    looker.page.locator(".opener").first.click()
    looker.button("Delete…").click()
    looker.keep("phone-delete")
    assert looker.overflow <= 0
    assert looker.barriers() == []


def test_on_a_phone_the_ways_stand_behind_a_button(studio: Studio, somebody: Bring) -> None:
    looker = somebody(width=390, height=844)
    looker.go("#/models")
    expect(looker.link("Webhooks")).to_be_hidden()
    looker.button("Menu").click()
    expect(looker.button("Menu")).to_have_attribute("aria-expanded", "true")
    looker.keep("phone-menu")
    assert looker.barriers() == []
    looker.link("Webhooks").click()
    expect(looker.page.get_by_role("heading", name="Webhooks").first).to_be_visible()
    expect(looker.link("Statistics")).to_be_hidden()
    assert looker.overflow <= 0


def test_what_was_done_on_this_machine_is_said_to_be(studio: Studio, somebody: Bring) -> None:
    studio.engine.deploy(path("message"))
    looker = somebody(language="zh-CN")
    looker.go("#/start?key=message")
    looker.field("运行名称").fill("x")
    looker.button("启动流程").click()
    looker.sees_status("等待消息 payment-received")
    looker.page.get_by_text("历史", exact=True).click()
    looker.sees("本机")
    expect(looker.page.get_by_text("local", exact=True)).to_have_count(0)
    assert looker.barriers() == []


def test_it_speaks_the_language_of_the_browser_and_then_the_chosen_one(
    furnished: dict[str, str], somebody: Bring
) -> None:
    looker = somebody(language="zh-CN")
    looker.go(f"#/process/{furnished['rolled']}")
    looker.sees_status("失败，已回滚")
    looker.keep("chinese", whole=True)
    looker.button("说明").click()
    looker.sees("它的回滚")
    assert re.findall(r"\b(?:Process|It|Its|What) \w+ \w+", looker.page.get_by_role("dialog").inner_text()) == []
    looker.keep("chinese-why")
    looker.page.keyboard.press("Escape")
    expect(looker.page.locator("html")).to_have_attribute("lang", "zh-CN")
    looker.go("#/start?key=app-server")
    looker.sees("不填则与 regionId 相同。")
    looker.keep("chinese-start", whole=True)
    looker.field("语言").select_option("en")
    looker.sees("Same as regionId unless given.")
    looker.page.reload()
    expect(looker.page.get_by_role("heading", name="Start")).to_be_visible()


def test_the_theme_is_chosen_and_kept(looker: Looker, studio: Studio) -> None:
    looker.go()
    looker.field("Colours").select_option("dark")
    looker.page.reload()

    assert looker.page.evaluate("() => getComputedStyle(document.body).colorScheme") == "dark"


def test_everything_is_done_with_the_keyboard_alone(furnished: dict[str, str], looker: Looker) -> None:
    press = looker.page.keyboard.press
    focused = looker.page.locator(":focus")
    looker.go(f"#/process/{furnished['waiting']}")
    expect(looker.page.locator(".djs-element.is-waiting")).to_be_visible()

    press("Tab")
    expect(focused).to_have_text("Skip to the content")
    press("Enter")
    seen: list[str] = []
    while "Create the server" not in seen:
        press("Tab")
        seen.append(focused.get_attribute("aria-label") or (focused.text_content() or "").strip())
        outline = looker.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", seen
        assert len(seen) < 40
    assert [name for name in seen if name in ("Cancel…", "Delete…", "Zoom in", "Send")] == [
        "Cancel…",
        "Delete…",
        "Zoom in",
        "Send",
    ]
    press("Enter")
    expect(focused).to_have_attribute("aria-expanded", "true")
    looker.sees("Outputs")

    viewport = looker.page.locator(".viewport")
    before = viewport.get_attribute("transform")
    looker.page.get_by_role("img", name="Diagram: Forward").focus()
    press("ArrowRight")
    expect(viewport).not_to_have_attribute("transform", before or "")

    looker.button("Cancel…", exact=True).focus()
    press("Enter")
    expect(looker.page.get_by_role("dialog")).to_be_visible()
    press("Escape")
    expect(focused).to_have_text("Cancel…")
    press("Enter")
    looker.field("Do not wait for running tasks").focus()
    press("Space")
    press("Enter")
    looker.sees_status("Cancelled")


def test_a_key_is_asked_for_and_kept_for_the_tab_alone(
    furnished: dict[str, str], studio: Studio, looker: Looker
) -> None:
    keys = studio.engine.keys
    _, admin = keys.add("boss", scopes=["admin"])
    _, guest = keys.add("guest", scopes=["read"], every_owner=True)
    _, other = keys.add("other", scopes=["read", "run"])

    looker.go()
    looker.sees("An access key is needed")
    looker.keep("key")
    looker.field("Key", exact=True).fill("rsk_wrong")
    looker.button("Use this key").click()
    expect(looker.page.get_by_role("alert")).to_be_visible()
    looker.page.keyboard.press("Escape")
    looker.button("Enter a key").click()
    looker.field("Key", exact=True).fill(other)
    looker.button("Use this key").click()
    looker.sees("No process was started yet")
    looker.sees("Only processes of key:other are shown to you.")
    expect(looker.link("Start", exact=True).first).to_be_visible()

    looker.button("Forget key").click()
    looker.field("Key", exact=True).fill(guest)
    looker.button("Use this key").click()
    looker.link("shop").click()
    looker.sees_status("Failed, rolled back")
    # What would be refused is not offered.
    expect(looker.page.get_by_role("link", name=re.compile("^(Start|Start again|Messages)$"))).to_have_count(0)
    stored = looker.page.evaluate("() => [JSON.stringify(localStorage), document.cookie, location.href]")
    assert not [text for text in stored if guest in text]
    looker.page.reload()
    looker.sees_status("Failed, rolled back")

    keys.revoke("guest")
    looker.sees("An access key is needed")
    looker.field("Key", exact=True).fill(admin)
    looker.button("Use this key").click()
    looker.sees_status("Failed, rolled back")
    expect(looker.link("Start again")).to_be_visible()
    # What was rolled back has nothing left that a delete could undo.
    expect(looker.button("Delete…")).to_have_count(0)
