"""Operators at the console: processes move to other versions, stones stand still, webhooks are told again."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from riverstone.bpmn_samples import path
from riverstone.engine import TaskInfo

from ..features.sketch import definitions, flow, line, process, service
from ..features.test_webhooks import allowing, receiving, until
from .conftest import Studio
from .looking import Looker
from .test_stories import TEMPLATE

ASK = '<userTask id="ask" name="Ask"/>'
VARIABLES = {"regionId": "bcc", "projectId": "11111", "password": "s3cret!"}


def test_a_process_moves_to_another_version_after_a_look_at_what_stands_against_it(
    studio: Studio, looker: Looker
) -> None:
    engine, page = studio.engine, looker.page
    engine.deploy(line("orders", ASK))
    number = engine.start(key="orders", name="order").process_instance_id
    second = engine.deploy(line("orders", '<userTask id="decide" name="Decide"/>'))

    looker.go(f"#/process/{number}")
    looker.button("Another version…").click()
    looker.sees("This stands against it:")
    looker.keep("migrate")
    assert looker.barriers() == []
    page.get_by_label("In place of ask").select_option("decide")
    looker.sees("Nothing stands against it.")
    looker.button("Move it").click()
    expect(looker.element("decide")).to_have_class("djs-element djs-shape is-person")
    assert engine.get(number).deployment_id == second.deployment_id


def test_a_log_is_read_while_its_hook_runs_and_what_is_secret_is_shown_on_request(
    studio: Studio, looker: Looker
) -> None:
    engine, page = studio.engine, looker.page
    go_on = Event()

    def start(task: TaskInfo) -> dict[str, str]:
        task.log("the first line")
        go_on.wait(120)
        return {"password": "open sesame"}

    engine.stone("talker")(start)
    engine.stone("login", secret_outputs=frozenset({"password"}))(start)
    engine.deploy(line("talks", service("a", "talker"), service("b", "login")))
    number = engine.start(key="talks", name="talks").process_instance_id
    until(lambda: bool(engine.tasks(number)))
    looker.go(f"#/process/{number}?task={engine.tasks(number)[0].task_id}")
    expect(page.get_by_text("the first line")).to_be_visible()
    assert engine.tasks(number)[0].end_time is None
    go_on.set()
    engine.wait(number, timeout=60)

    login = next(task for task in engine.tasks(number) if task.namespace == "b")
    looker.go(f"#/process/{number}?task={login.task_id}")
    looker.button("Secret outputs").click()
    looker.keep("secrets")
    looker.button("Show them").click()
    expect(page.get_by_role("dialog").get_by_text("open sesame")).to_be_visible()
    assert [each.action for each in engine.audit.entries().items][:1] == ["postTaskSecrets"]


def test_a_stone_stands_still_for_maintenance_and_goes_on(studio: Studio, looker: Looker) -> None:
    looker.go("#/stones")
    card = looker.page.locator(".stone", has_text="SIP::EC2::Volume")
    card.get_by_role("button", name="Suspend…").click()
    looker.field("Reason").fill("the disks are moved")
    looker.button("Suspend it").click()
    expect(card.get_by_text("the disks are moved")).to_be_visible()
    assert [each.code for each in studio.engine.suspended_stones()] == ["SIP::EC2::Volume"]
    looker.keep("stone-suspended")
    assert looker.barriers() == []
    card.get_by_role("button", name="Let it go on").click()
    expect(card.get_by_role("button", name="Suspend…")).to_be_visible()
    assert studio.engine.suspended_stones() == ()


def test_who_is_told_is_listed_and_told_again(browser: Browser, tmp_path: Path) -> None:
    with receiving() as receiver:
        studio = Studio(tmp_path, webhooks=allowing(receiver))
        try:
            with Looker(browser, studio.url) as looker:
                looker.go("#/webhooks")
                looker.sees("Nobody is told anything.")
                looker.button("Tell an address").first.click()
                looker.field("Address", exact=True).fill("http://elsewhere.example/hook")
                looker.page.get_by_role("dialog").get_by_role("button", name="Tell an address").click()
                expect(looker.page.get_by_role("alert")).to_be_visible()
                looker.field("Address", exact=True).fill(receiver.url)
                looker.page.get_by_role("dialog").get_by_role("button", name="Tell an address").click()
                looker.sees("all processes")
                studio.engine.deploy(line("orders"))
                studio.engine.start(key="orders", name="order")
                looker.sees("arrived")
                looker.keep("webhooks")
                assert looker.barriers() == []
                before = len(receiver.received)
                looker.button("Tell again").first.click()
                looker.sees("It is told once more.")
                until(lambda: len(receiver.received) > before)
        finally:
            studio.close()


def test_the_way_that_was_taken_is_seen_between_the_tasks(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(path("app_server"), parameter_template=TEMPLATE)
    number = studio.engine.start(key="app-server", name="shop", variables=VARIABLES).process_instance_id
    studio.engine.wait(number, timeout=30)

    looker.go(f"#/process/{number}")
    looker.sees_status("Succeeded")
    taken = looker.page.locator(".djs-element.is-taken")
    gateways = looker.page.locator(".djs-connection.is-taken")
    expect(taken.first).to_be_attached()
    flows = looker.page.locator(".djs-connection").count()
    expect(gateways).to_have_count(flows)
    looker.page.get_by_text("Variables now").click()
    now = looker.page.locator("details[open]", has_text="Variables now")
    expect(now.get_by_text("regionId").first).to_be_visible()


def test_nothing_is_offered_that_has_nothing_to_do(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(line("small", service("make", "SIP::EC2::SecurityGroup")))
    mocked = studio.engine.start(key="small", name="mock", variables={"SipRS::Mock": True, **VARIABLES})
    real = studio.engine.start(key="small", name="real", variables=VARIABLES)
    for each in (mocked, real):
        studio.engine.wait(each.process_instance_id, timeout=30)
    looker.go(f"#/process/{mocked.process_instance_id}")
    looker.sees_status("Succeeded")
    expect(looker.button("Delete…")).to_have_count(0)
    looker.go(f"#/process/{real.process_instance_id}")
    expect(looker.button("Delete…")).to_be_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_large_diagram_has_its_picture_in_small(studio: Studio, somebody: object, colours: str) -> None:
    studio.engine.deploy(line("long", *(f'<userTask id="u{number}"/>' for number in range(60))))
    number = studio.engine.start(key="long", name="long").process_instance_id
    looker = somebody(colours=colours)  # type: ignore[operator]
    looker.go(f"#/process/{number}")
    expect(looker.page.locator(".minimap .is-person")).to_be_attached()
    before = looker.page.locator(".minimap-frame").get_attribute("x")
    box = looker.page.locator(".minimap").bounding_box()
    looker.page.mouse.click(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2)
    expect(looker.page.locator(".minimap-frame")).not_to_have_attribute("x", before)
    assert looker.barriers() == []


def test_statistics_tell_what_fails_and_how_long_it_takes(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(path("app_server"), parameter_template=TEMPLATE)
    for variables in (VARIABLES, {**VARIABLES, "installMysql": {"diskNeeded": 900}}):
        number = studio.engine.start(key="app-server", name="shop", variables=variables).process_instance_id
        studio.engine.wait(number, timeout=30)

    looker.go("#/statistics")
    looker.sees("2 runs since")
    row = looker.page.get_by_role("row", name="Install MySQL")
    expect(row).to_contain_text("1 (50 %)")
    looker.keep("statistics", whole=True)
    assert looker.barriers() == []
    row.get_by_role("link").first.click()
    expect(looker.page.locator(".processes tbody tr")).to_have_count(1)
    looker.go(f"#/model/{studio.engine.models().items[0].model_id}")
    looker.sees("v1: 2 runs, 0 not ended, 1 failed")


def test_who_writes_a_message_is_offered_what_is_awaited(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(path("message"))
    number = studio.engine.start(key="message", name="waits").process_instance_id
    until(lambda: any(token.waits for token in studio.engine.tokens(number)))
    (wait,) = [wait for token in studio.engine.tokens(number) for wait in token.waits]
    looker.go("#/signals")
    expect(looker.page.locator("#message-name-awaited option")).to_have_attribute("value", wait.name or "")
    assert looker.barriers() == []
    looker.go("#/processes")
    started = looker.page.locator(".processes time")
    expect(started).to_have_attribute("title", re.compile("here; .* at the server"))
    looker.page.get_by_label("Until").fill("2001-01-01")
    looker.sees("No process is like that.")


def test_a_row_says_why_its_process_stands_still(studio: Studio, looker: Looker) -> None:
    engine = studio.engine

    def start(task: TaskInfo) -> None:
        raise RuntimeError("no more quota")

    engine.stone("greedy")(start)
    engine.deploy(line("greedy", service("a", "greedy")), on_failure="pause")
    number = engine.start(key="greedy", name="greedy").process_instance_id
    engine.wait(number, 60)
    engine.deploy(line("asks", ASK))
    waiting = engine.start(key="asks", name="asks").process_instance_id
    engine.suspend(waiting, reason="A freeze until Monday")
    looker.go()
    row = looker.page.get_by_role("row").filter(has=looker.link("greedy"))
    expect(row).to_contain_text("no more quota")
    expect(looker.page.get_by_role("row").filter(has=looker.link("asks"))).to_contain_text("A freeze until Monday")
    engine.skip(engine.tasks(number)[0].task_id)
    expect(row).not_to_contain_text("no more quota")


def test_the_way_past_a_task_that_was_skipped_is_seen(studio: Studio, looker: Looker) -> None:
    studio.engine.stone("Work")(lambda task: None)
    parts = ['<startEvent id="start"/>', flow("start", "first"), service("first", "Work")]
    parts += [flow("first", "choose"), '<exclusiveGateway id="choose" default="choose_last"/>']
    parts += [flow("choose", "ask", "${size > 10}"), '<userTask id="ask" name="Ask"/>', flow("ask", "last")]
    parts += [flow("choose", "last"), service("last", "Work"), flow("last", "end")]
    studio.engine.deploy(definitions(process("skips", *parts, '<endEvent id="end"/>')))
    number = studio.engine.start(key="skips", name="small", variables={"size": 5}).process_instance_id
    studio.engine.wait(number, timeout=30)
    looker.go(f"#/process/{number}")
    looker.sees_status("Succeeded")
    taken = looker.page.locator(".djs-connection.is-taken")
    expect(taken).to_have_count(4)
    expect(looker.element("choose_last")).to_have_class(re.compile("is-taken"))
    expect(looker.element("choose_ask")).not_to_have_class(re.compile("is-taken"))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_batch_moves_all_to_a_version_that_is_chosen(studio: Studio, somebody: Any, width: int) -> None:
    engine = studio.engine
    engine.deploy(line("orders", ASK))
    number = engine.start(key="orders", name="order").process_instance_id
    engine.deploy(line("bills", ASK))
    second = engine.deploy(line("orders", ASK, '<userTask id="check" name="Check"/>'))
    looker: Looker = somebody(width=width)
    looker.go("#/processes?key=orders")
    looker.button("For all of these…").click()
    looker.field("What is done").select_option("migrate")
    choice = looker.field("Version", exact=True)
    expect(choice.locator("option")).to_have_count(3)
    choice.select_option(second.deployment_id)
    looker.sees("1 process.")
    looker.field("At most per second").fill("5")
    looker.button("Begin").click()
    looker.sees("Ended")
    assert looker.barriers() == []
    assert looker.overflow == 0
    looker.keep(f"batch-{width}")
    assert engine.get(number).deployment_id == second.deployment_id


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_a_batch_says_in_words_what_was_searched_for(studio: Studio, somebody: Any, language: str) -> None:
    studio.engine.deploy(line("orders", ASK), parameter_template=[{"Key": "region", "Searchable": True}])
    studio.engine.start(key="orders", name="order", variables={"region": "bcc"})
    looker: Looker = somebody(language=language)
    looker.go("#/processes?state=person&key=orders&from=2020-01-31&variable=region%3Dbcc")
    words = ["State", "Waits for a person", "Started since", "region = bcc", "Forward runs"]
    if language == "zh-CN":
        words = ["状态", "等待办理", "启动不早于", "region = bcc", "正向运行"]
    looker.button("对全部执行…" if language == "zh-CN" else "For all of these…").click()
    looker.page.get_by_label("操作" if language == "zh-CN" else "What is done", exact=True).select_option("suspend")
    looker.page.get_by_role("dialog").locator("button[type=submit]").click()
    looker.page.wait_for_url("**/batch/**")
    for word in words:
        looker.sees(word)
    assert "startedFrom" not in looker.page.locator("main").inner_text()
    assert looker.barriers() == []
    looker.keep(f"batch-searched-{language}")
