"""Who starts a process in the console is asked by the form of its start event."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ..features.sketch import definitions, flow, line, process
from .conftest import Studio
from .looking import Looker

Bring = Callable[..., Looker]
FORM = {
    "type": "default",
    "id": "order",
    "components": [
        {"type": "text", "id": "head", "text": "## A new server\nIt is made **at once**."},
        {"type": "textfield", "key": "name", "id": "name", "label": "Name of the server", "layout": {"columns": 8},
         "validate": {"required": True, "minLength": 3}},
        {"type": "number", "key": "size", "id": "size", "label": "Size", "layout": {"columns": 8},
         "validate": {"min": 1, "max": 64}},
        {"type": "checkbox", "key": "urgent", "id": "urgent", "label": "Urgent"},
        {"type": "textarea", "key": "why", "id": "why", "label": "Reason of the hurry", "validate": {"required": True},
         "conditional": {"hide": "=urgent != true"}},
        {"type": "textfield", "key": "password", "id": "password", "label": "Password"},
    ],
}  # fmt: skip
TEMPLATE = [
    {"Key": "region", "Type": "String", "DisplayName": "Region"},
    {"Key": "password", "Type": "String", "NoEcho": True, "DefaultValue": "4711-secret"},
]


@pytest.fixture
def order(studio: Studio) -> str:
    """The version of a process that asks for something when it is started."""
    model = line("order", '<userTask id="a"/>').replace(
        b'<startEvent id="begin"', b'<startEvent id="begin" camunda:formRef="order"'
    )
    return studio.engine.deploy(model, json.dumps(FORM).encode(), parameter_template=TEMPLATE).deployment_id


def test_who_starts_a_process_is_asked_by_its_form(studio: Studio, looker: Looker, order: str) -> None:
    page = looker.page
    looker.go("#/start?key=order")
    looker.sees("A new server")
    expect(looker.field("Reason of the hurry")).to_be_hidden()
    expect(looker.field("Further variables as JSON")).to_be_hidden()
    expect(looker.field("Password")).to_have_attribute("type", "password")
    looker.field("Name of the run").fill("A server for Ann")
    looker.field("Name of the server").fill("x")
    looker.field("Size").fill("many")
    looker.field("Urgent").check()
    expect(looker.field("Reason of the hurry")).to_be_visible()
    looker.sees("Must have at least 3 characters.")
    looker.field("Region").fill("cn")
    looker.keep("start-form", whole=True)
    assert looker.barriers() == []
    looker.button("Start the process").click()
    looker.sees("3 answers are not right yet; nothing was sent.")
    looker.sees("Must be a number.")
    expect(looker.field("Name of the server")).to_be_focused()
    looker.keep("start-form-errors", whole=True)
    assert looker.barriers() == []
    assert studio.engine.instances().items == ()
    looker.field("Name of the server").fill("srv-1")
    looker.field("Size").fill("8")
    looker.field("Reason of the hurry").fill("Friday")
    looker.page.get_by_text("Further variables", exact=True).click()
    looker.field("Further variables as JSON").fill('{"extra": [1]}')
    looker.button("Start the process").click()
    looker.sees_status("Waits for a person: a")
    (run,) = studio.engine.instances().items
    assert studio.engine.variables(run.process_instance_id) == {
        "extra": [1],
        "region": "cn",
        "name": "srv-1",
        "size": 8,
        "urgent": True,
        "why": "Friday",
        "password": "*****",
    }
    # The same once more: the form is filled in with what the run before was started with.
    looker.go(f"#/start?from={run.process_instance_id}")
    expect(looker.field("Name of the server")).to_have_value("srv-1")
    expect(looker.field("Urgent")).to_be_checked()
    expect(looker.field("Reason of the hurry")).to_have_value("Friday")
    expect(looker.field("Further variables as JSON")).to_have_value('{\n  "extra": [\n    1\n  ]\n}')
    page.get_by_label("What to start").select_option(index=1)
    looker.sees("The model as it now stands")
    looker.sees("A new server")


LATE = """
    const real = window.fetch;
    window.late = [];
    window.fetch = async (...asked) => {
        const answer = await real(...asked);
        if (asked[1]?.method === "POST" && String(asked[0]).endsWith("/form"))
            await new Promise((come) => window.late.push(come));
        return answer;
    };
"""


def await_answers(page: Page, count: int) -> None:
    """Until so many answers have come that the page has not heard yet."""
    for _ in range(3000):
        if page.evaluate("window.late.length") >= count:
            return
        page.wait_for_timeout(10)
    raise AssertionError("they do not come")


def let_come(page: Page, is_so: Callable[[], bool]) -> None:
    """Let the page hear all answers until that is so."""
    for _ in range(600):
        if is_so():
            return
        page.evaluate("window.late.forEach((come) => come())")
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to that")


def test_an_answer_that_comes_late_complains_of_nothing_that_is_right_by_now(looker: Looker, order: str) -> None:
    page = looker.page
    page.add_init_script(LATE)
    looker.go("#/start?key=order")
    looker.field("Size").fill("many")
    looker.field("Size").press("Tab")
    await_answers(page, 1)
    looker.field("Size").fill("8")
    page.evaluate("window.late[0]()")
    await_answers(page, 2)
    expect(page.get_by_text("Must be a number.")).to_have_count(0)
    page.evaluate("window.late[1]()")
    looker.field("Size").fill("65")
    looker.field("Size").press("Tab")
    await_answers(page, 3)
    page.evaluate("window.late[2]()")
    looker.sees("Must be at most 64.")


def test_what_an_answer_hides_is_not_sent_though_somebody_goes_on_meanwhile(
    studio: Studio, looker: Looker, order: str
) -> None:
    page = looker.page
    page.add_init_script(LATE)
    looker.go("#/start?key=order")
    for name, text in (("Name of the run", "it"), ("Name of the server", "srv-1"), ("Region", "cn")):
        looker.field(name).fill(text)
    looker.field("Urgent").check()
    let_come(page, lambda: looker.field("Reason of the hurry").is_visible())
    looker.field("Reason of the hurry").fill("Friday")
    page.wait_for_timeout(500)
    page.evaluate("window.late.forEach((come) => come())")
    heard = page.evaluate("window.late.length")
    looker.field("Urgent").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    await_answers(page, heard + 1)
    page.keyboard.press("Tab")
    let_come(page, lambda: len(studio.engine.instances().items) == 1)
    (run,) = studio.engine.instances().items
    assert "why" not in studio.engine.variables(run.process_instance_id)


def test_a_complaint_does_not_move_what_is_being_pressed(looker: Looker, order: str) -> None:
    """A line more above it would take the pointer's click away from it."""
    page = looker.page
    looker.go("#/start?key=order")
    looker.field("Size").fill("many")
    page.get_by_text("Further variables", exact=True).hover()
    with page.expect_response("**/form"):
        page.mouse.down()
    page.wait_for_timeout(300)
    expect(page.get_by_text("Must be a number.")).to_have_count(0)
    page.mouse.up()
    expect(looker.field("Further variables as JSON")).to_be_visible()
    looker.sees("Must be a number.")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("phone", {"width": 390, "height": 844}),
        ("dark", {"colours": "dark"}),
        ("chinese", {"language": "zh-CN"}),
    ],
)
def test_the_form_of_a_start_looks_well_for_everybody(
    somebody: Bring, order: str, name: str, options: dict[str, Any]
) -> None:
    looker = somebody(**options)
    looker.go("#/start?key=order")
    looker.sees("A new server")
    looker.page.locator("button[type=submit]").click()
    looker.keep(f"start-form-{name}", whole=True)
    assert looker.overflow <= 0
    assert looker.barriers() == []


@pytest.mark.parametrize(
    ("language", "options"), [("en-GB", {"width": 1280}), ("zh-CN", {"width": 390, "colours": "dark"})]
)
def test_where_nothing_says_what_a_start_takes_what_the_model_reads_is_asked(
    studio: Studio, somebody: Bring, language: str, options: dict[str, Any]
) -> None:
    studio.engine.deploy(
        definitions(
            process(
                "order",
                '<startEvent id="start"/><exclusiveGateway id="choose" default="no"/><endEvent id="end"/>',
                '<userTask id="ask" name="Pack" camunda:assignee="${clerk.name}"/>',
                flow("start", "choose"),
                flow("choose", "ask", "${amount > 5 && express}"),
                '<sequenceFlow id="no" sourceRef="choose" targetRef="end"/>',
                flow("ask", "end"),
            )
        )
    )
    chinese = language == "zh-CN"
    looker = somebody(language=language, **options)
    page = looker.page
    looker.go("#/start?key=order")
    looker.field("运行名称" if chinese else "Name of the run").fill("one")
    looker.field("amount", exact=True).fill("seven")
    looker.field("express", exact=True).select_option("true")
    looker.field("clerk", exact=True).fill('{"name": "ann"}')
    page.get_by_role("button", name="添加" if chinese else "Add").click()
    page.get_by_label("名称" if chinese else "Name", exact=True).fill("note")
    page.get_by_label("值" if chinese else "Value", exact=True).fill("fragile")
    page.locator("button[type=submit]").click()
    looker.sees("必须是数字。" if chinese else "Must be a number.")
    looker.field("amount", exact=True).fill("7")
    assert looker.barriers() == []
    assert looker.overflow <= 0
    looker.keep(f"start-read-{language}", whole=True)
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/process/**")
    (order,) = studio.engine.instances(key="order").items
    wanted = {"amount": 7, "express": True, "clerk": {"name": "ann"}, "note": "fragile"}
    assert studio.engine.variables(order.process_instance_id) == wanted


def test_variables_that_nothing_lists_are_written_as_json_too(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(line("free", '<userTask id="ask"/>'))
    looker.go("#/start?key=free")
    looker.field("Name of the run").fill("one")
    looker.button("As JSON").click()
    looker.field("Variables as JSON").fill('{"size": 12345678901234567890, "list": [1]}')
    looker.button("As fields").click()
    expect(looker.field("Value", exact=True).first).to_have_value("12345678901234567890")
    looker.page.locator("button[type=submit]").click()
    looker.sees_status("Waits for a person: ask")
    (begun,) = studio.engine.instances(key="free").items
    assert studio.engine.variables(begun.process_instance_id) == {"size": 12345678901234567890, "list": [1]}
    looker.go(f"#/start?from={begun.process_instance_id}")
    expect(looker.field("Value", exact=True).first).to_have_value("12345678901234567890")
