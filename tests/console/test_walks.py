"""The operator's morning: what failed last night is found, understood, mended and resumed, by what the pages say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from marshmallow import fields
from playwright.sync_api import expect

from riverstone.engine import Stone, TaskInfo

from ..features.sketch import line, service
from .conftest import Studio
from .looking import Looker

Bring = Callable[..., Looker]


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_an_operator_finds_what_failed_last_night_mends_it_and_resumes_all(
    studio: Studio, somebody: Bring, language: str
) -> None:
    has_room = False

    class Server(Stone):
        """Makes a server, where there is room."""

        code = "Shop::Server"

        def start(self, task: TaskInfo) -> None:
            if not has_room:
                raise ValueError("no room left in region bcc")

        def rollback(self, task: TaskInfo) -> None:
            """Nothing was made."""

    studio.engine.register(Server)
    studio.engine.deploy(line("shop", service("server", "Shop::Server")))
    waiting = [
        studio.engine.start(key="shop", name=f"order {number}", variables={}, on_failure="pause") for number in range(3)
    ]
    gone = studio.engine.start(key="shop", name="an older order", variables={})
    for each in [*waiting, gone]:
        studio.engine.wait(each.process_instance_id, timeout=30)

    looker = somebody(language=language)
    chinese = language == "zh-CN"
    page = looker.page

    def word(english: str, translated: str) -> str:
        return translated if chinese else english

    looker.go()
    looker.button(word("Needs attention 3", "需要处理 3")).click()
    expect(page.locator(".processes tbody tr")).to_have_count(3)
    looker.button(word("Why they failed", "失败原因")).click()
    looker.sees("no room left in region bcc")
    looker.keep(f"walk-operator-reasons-{language}")
    assert looker.barriers() == []
    page.keyboard.press("Escape")
    looker.link("order 0").click()
    looker.sees("no room left in region bcc")
    expect(looker.element("server")).to_be_visible()
    looker.button(word("Explain", "说明")).click()
    looker.sees(word("has failed in start", "在 start 中失败"))
    looker.keep(f"walk-operator-why-{language}")
    page.keyboard.press("Escape")

    has_room = True
    page.go_back()
    looker.button(word("For all of these…", "对全部执行…")).click()
    looker.keep(f"walk-operator-batch-{language}")
    page.get_by_role("dialog").locator("button[type=submit]").click()
    looker.sees("3/3")
    assert [studio.engine.wait(each.process_instance_id, timeout=30).status for each in waiting] == ["success"] * 3
    looker.go("#/processes?state=failed")
    looker.sees("an older order")
    looker.sees(word("Failed, rolled back", "失败，已回滚"))
    looker.keep(f"walk-operator-end-{language}")


SIZES = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="sizes" name="Sizes" namespace="urn:d">
<decision id="size" name="Size"><decisionTable><input><inputExpression><text>guests</text></inputExpression></input>
<output name="size"/><rule><inputEntry><text>&lt;= 8</text></inputEntry><outputEntry><text>10</text></outputEntry>
</rule><rule><inputEntry><text>&gt; 8</text></inputEntry><outputEntry><text>40</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


def test_an_analyst_draws_checks_and_deploys_a_flow_without_xml_or_json(studio: Studio, looker: Looker) -> None:
    """A decision, a person with a form, and two stones; drawn, checked, deployed and run."""

    class Room(Stone):
        """Books a room."""

        code = "Shop::Room"
        parameters: ClassVar = {"size": fields.Integer(required=True, metadata={"visible": True})}

        def start(self, task: TaskInfo) -> None:
            booked.append(task.parameters["size"])

    class Invoice(Stone):
        """Sends an invoice."""

        code = "Shop::Invoice"

        def start(self, task: TaskInfo) -> None:
            booked.append("invoice")

    booked: list[Any] = []
    studio.engine.register(Room)
    studio.engine.register(Invoice)
    studio.engine.deploy(SIZES)
    page = looker.page

    panel = page.locator(".designer-panel")

    def chosen(name: str) -> None:
        expect(page.locator(".designer-panel-head h2")).to_have_text(name)

    def add(kind: str, word: str, name: str) -> None:
        before = page.locator(".designer-panel-head h2").inner_text()
        page.locator('.djs-context-pad [data-action="append.append-task"]').click()
        expect(page.locator(".designer-panel-head h2")).not_to_have_text(before)
        page.locator('.djs-context-pad [data-action="replace"]').click()
        page.locator(f'.djs-popup [data-id="{kind}"]').click()
        expect(page.locator(".designer-panel-head .sub")).to_have_text(word)
        looker.field("Name", exact=True).fill(name)
        chosen(name)

    looker.go("#/models")
    looker.button("New model").click()
    looker.field("Name").fill("Party")
    looker.button("Draw").click()
    expect(page.locator(".designer-canvas[data-ready]")).to_be_visible()
    looker.button("Add a variable").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("guests")
    dialog.get_by_label("Label").fill("How many guests?")
    dialog.get_by_label("Kind").select_option("Integer")
    looker.button("Take over").click()
    page.locator('.designer-canvas .djs-element[data-element-id="start"]').click()
    add("replace-with-rule-task", "Business rule task", "How large?")
    looker.field("Decision", exact=True).select_option("size")
    looker.field("Result is called").fill("size")
    looker.field("Result is", exact=True).select_option("singleEntry")
    expect(page.get_by_role("row", name="2 > 8 40")).to_be_visible()
    looker.keep("walk-analyst-decision")
    add("replace-with-user-task", "User task", "Is it right?")
    looker.button("Add a field").click()
    looker.field("Variable").fill("agreed")
    looker.field("Question").fill("Is this size right?")
    looker.field("Kind of answer").select_option("Yes or no")
    looker.button("Take over").click()
    page.locator(".stone-card", has_text="Shop::Room").click()
    panel.get_by_label("size").fill("${size}")
    page.locator(".stone-card", has_text="Shop::Invoice").click()
    expect(page.locator(".designer-verdict")).not_to_contain_text("error")
    looker.keep("walk-analyst", whole=True)
    assert looker.barriers() == []
    looker.button("Save").click()
    looker.sees("Party is saved.")
    looker.button("Deploy").click()
    looker.sees("is deployed as version 1")

    looker.go("#/start?key=party")
    looker.field("How many guests?").fill("9")
    looker.field("Name").fill("Ann's party")
    page.locator("button[type=submit]").click()
    looker.sees_status("Waits for a person: Is it right?")
    looker.link("Open the task").click()
    looker.field("Is this size right?").check()
    looker.button("Complete").click()
    looker.sees("Is it right? is done.")
    (party,) = studio.engine.instances(key="party").items
    assert studio.engine.wait(party.process_instance_id, 60).status == "success"
    assert booked == [40, "invoice"]
