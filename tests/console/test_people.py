"""What people with tasks do in the console: find one, take it, err, are told, and complete it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from riverstone.bpmn_samples import path
from riverstone.engine import Person

from ..features.sketch import definitions, flow, line, process
from .conftest import Studio
from .looking import Looker

Bring = Callable[..., Looker]
SCHEMA: dict[str, Any] = {
    "type": "default",
    "id": "order",
    "components": [
        {"type": "text", "id": "head", "text": "# Order of {{customer}}\nLook at **all**:\n- the price\n- the size"},
        {"type": "textfield", "key": "name", "id": "name", "label": "Name of the server", "layout": {"columns": 8},
         "description": "As it is called in the network.", "validate": {"required": True, "minLength": 3}},
        {"type": "number", "key": "size", "id": "size", "label": "Size", "layout": {"columns": 8},
         "validate": {"min": 1, "max": 64}},
        {"type": "radio", "key": "decision", "id": "decision", "label": "Decision", "validate": {"required": True},
         "values": [{"label": "Approve", "value": "yes"}, {"label": "Refuse", "value": "no"}]},
        {"type": "textarea", "key": "why", "id": "why", "label": "Reason of the refusal",
         "validate": {"required": True}, "conditional": {"hide": "=if decision = \"no\" then false else true"}},
        {"type": "select", "key": "land", "id": "land", "label": "Land",
         "values": [{"label": "Germany", "value": "de"}, {"label": "China", "value": "cn"}]},
        {"type": "group", "id": "more", "label": "More", "path": "more", "components": [
            {"type": "checkbox", "key": "urgent", "id": "urgent", "label": "Urgent"},
            {"type": "checklist", "key": "extras", "id": "extras", "label": "Extras", "valuesExpression": "=offers"},
            {"type": "datetime", "subtype": "date", "key": "when", "id": "when", "dateLabel": "From"}]},
        {"type": "table", "id": "items", "label": "Items", "dataSource": "=items",
         "columns": [{"label": "What", "key": "what"}, {"label": "Price", "key": "price"}]},
    ],
}  # fmt: skip
VARIABLES = {"customer": "Ann", "offers": ["backup", "support"], "items": [{"what": "disk", "price": 12}]}


def model() -> bytes:
    ask = (
        '<userTask id="ask" name="Approve the server" camunda:candidateGroups="sales" camunda:dueDate="P2D"'
        ' camunda:priority="70" camunda:formRef="order"><documentation>Ask the customer if anything is not clear.'
        "</documentation></userTask>"
    )
    return definitions(
        process(
            "order",
            '<startEvent id="s"/>', '<userTask id="draft" name="Draft it" camunda:candidateGroups="sales"/>', ask,
            '<exclusiveGateway id="g" name="Approved?"/><endEvent id="y"/><endEvent id="n"/>',
            flow("s", "draft"), flow("draft", "ask"), flow("ask", "g"),
            flow("g", "y", "${decision == 'yes'}"), flow("g", "n", "${decision == 'no'}"),
        )
    )  # fmt: skip


@pytest.fixture
def task(studio: Studio) -> str:
    """A task that waits for somebody, after another one."""
    studio.engine.deploy(model(), json.dumps(SCHEMA).encode())
    started = studio.engine.start(key="order", name="A server for Ann", variables=VARIABLES, business_key="o-17")
    number = started.process_instance_id
    person = Person(user="erin", groups=frozenset({"sales"}))
    studio.engine.people.complete(studio.engine.tasks(number)[0].task_id, {}, person)
    return next(each.task_id for each in studio.engine.tasks(number) if each.end_time is None)


def test_a_person_takes_a_task_errs_is_told_and_completes_it(studio: Studio, looker: Looker, task: str) -> None:
    page = looker.page
    looker.go("#/inbox?view=all")
    looker.sees("due in")
    looker.keep("inbox", whole=True)
    assert looker.barriers() == []
    looker.link("Approve the server").click()
    expect(page.get_by_role("heading", name="Approve the server")).to_be_visible()
    looker.sees("Order of Ann")
    looker.sees("Draft it")
    looker.sees("Ask the customer")
    expect(page.get_by_alt_text("Diagram of A server for Ann")).to_be_visible()
    looker.button("Take it").click()
    looker.sees("Yours")
    expect(looker.field("Reason of the refusal")).to_be_hidden()
    looker.field("Name of the server").fill("x")
    looker.field("Size").fill("many")
    looker.field("Refuse").check()
    expect(looker.field("Reason of the refusal")).to_be_visible()
    looker.sees("Must have at least 3 characters.")
    looker.keep("task", whole=True)
    assert looker.barriers() == []
    looker.button("Complete").click()
    looker.sees("3 answers are not right yet; nothing was sent.")
    looker.sees("Must be a number.")
    expect(looker.field("Name of the server")).to_be_focused()
    expect(looker.field("Size")).to_have_value("many")
    assert looker.barriers() == []
    looker.keep("task-errors", whole=True)
    assert studio.engine.people.task(task).ended is None
    page.reload()
    expect(looker.field("Name of the server")).to_have_value("x")
    expect(looker.field("Refuse")).to_be_checked()
    looker.field("Name of the server").fill("srv-1")
    looker.field("Size").fill("8")
    looker.field("Approve", exact=True).check()
    expect(looker.field("Reason of the refusal")).to_be_hidden()
    looker.field("Land").select_option("China")
    looker.field("support").check()
    looker.field("From").fill("2099-01-31")
    page.keyboard.press("Control+Enter")
    looker.sees("Approve the server is done.")
    looker.sees("There is no task that you may see.")
    assert studio.engine.task(task).outputs == {
        "name": "srv-1",
        "size": 8,
        "decision": "yes",
        "land": "cn",
        "more": {"urgent": False, "extras": ["support"], "when": "2099-01-31"},
    }
    assert studio.engine.people.task(task).done_by == "local"
    looker.go(f"#/task/{task}")
    looker.sees("Done by local")


def test_the_dates_of_a_task_are_changed_and_the_tabs_count(studio: Studio, looker: Looker, task: str) -> None:
    page = looker.page
    looker.go("#/inbox?view=all")
    expect(looker.link("All 1")).to_be_visible()
    expect(looker.link("Mine", exact=True)).to_be_visible()
    looker.link("Approve the server").click()
    looker.button("Take it").click()
    looker.button("Dates and priority…").click()
    looker.field("Due", exact=True).fill("2099-05-01T12:30")
    looker.field("Priority").fill("90")
    looker.keep("task-dates")
    assert looker.barriers() == []
    looker.button("Set").click()
    looker.sees("Priority 90")
    found = studio.engine.people.task(task)
    assert (found.priority, found.follow_up) == (90, None)
    assert found.due is not None
    assert found.due.astimezone().strftime("%Y-%m-%d %H:%M") == "2099-05-01 12:30"
    looker.button("Dates and priority…").click()
    looker.field("Due", exact=True).focus()
    page.keyboard.press("Delete")
    looker.button("Set", exact=True).click()
    looker.sees("A date or the priority is incomplete")
    assert studio.engine.people.task(task).due == found.due
    looker.button("Back", exact=True).click()
    looker.button("Dates and priority…").click()
    looker.button("Set", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert studio.engine.people.task(task) == found
    looker.go("#/inbox?view=mine")
    expect(looker.link("Mine 1")).to_have_attribute("aria-current", "page")
    looker.go(f"#/process/{found.process_instance_id}")
    page.locator("details", has_text="History").locator("summary").first.click()
    looker.sees("Dates or priority changed")


def test_a_task_without_a_form_asks_what_the_next_condition_reads(studio: Studio, looker: Looker) -> None:
    """Once an empty JSON box, in which a typo took a server away."""
    studio.engine.deploy(path("user_task"))
    started = studio.engine.start(key="user-task", name="A server", variables={})
    looker.go(f"#/process/{started.process_instance_id}")
    expect(looker.page.locator(".djs-element.is-person")).to_have_count(1)
    looker.page.locator(".opener").last.click()
    looker.link("Open the task").click()
    looker.button("Complete").click()
    looker.sees("One answer is not right yet; nothing was sent.")
    looker.sees("Is required.")
    looker.keep("task-derived", whole=True)
    assert studio.engine.get(started.process_instance_id).status == "running"
    assert len(studio.cloud.list("servers")) == 1
    looker.field("No", exact=True).check()
    looker.button("Complete").click()
    looker.sees("Approve the order is done.")
    assert studio.engine.wait(started.process_instance_id, 60).status == "success"
    assert len(studio.cloud.list("servers")) == 1


def test_a_form_that_has_not_come_is_not_sent(looker: Looker, task: str) -> None:
    held: list[Route] = []
    looker.page.route("**/form", lambda route: held.append(route))
    looker.go(f"#/task/{task}")
    while not held:
        looker.page.wait_for_timeout(50)
    expect(looker.button("Complete")).to_be_hidden()
    for route in held:
        route.continue_()
    looker.page.unroute("**/form")
    looker.button("Complete").click()
    looker.sees("are not right yet; nothing was sent.")


def test_what_somebody_else_takes_meanwhile_is_told_and_nothing_typed_is_lost(
    studio: Studio, looker: Looker, task: str
) -> None:
    studio.engine.keys.add("admin", scopes=["admin"])
    text = studio.engine.keys.add("alice", scopes=["read", "run"], user="alice", groups=["sales"])[1]
    looker.go(f"#/task/{task}")
    looker.page.get_by_role("textbox", name="Key").fill(text)
    looker.button("Use this key").click()
    looker.field("Name of the server").fill("srv-2")
    bob = Person(user="bob", groups=frozenset({"sales"}))
    studio.engine.people.claim(task, bob)
    looker.sees("bob has taken this task.")
    expect(looker.button("Complete")).to_be_hidden()
    expect(looker.field("Name of the server")).to_have_value("srv-2")
    looker.keep("task-taken", whole=True)
    studio.engine.people.release(task, bob)
    expect(looker.button("Complete")).to_be_visible()
    looker.field("Approve", exact=True).check()
    looker.button("Complete").click()
    looker.sees("is done.")
    assert studio.engine.people.task(task).done_by == "alice"


def test_a_task_for_nobody_in_particular_is_found_among_the_unassigned(studio: Studio, looker: Looker) -> None:
    """Once it was in no list but that of all, and whoever came first read that there was no task to take."""
    studio.engine.deploy(line("loose", '<userTask id="look" name="Look at it"/>'))
    studio.engine.start(key="loose", name="Nobody's")
    looker.go("#/inbox")
    expect(looker.link("Unassigned")).to_have_attribute("aria-current", "page")
    looker.link("Look at it").click()
    looker.button("Take it").click()
    looker.sees("Yours")
    looker.go("#/inbox?view=free")
    looker.sees("Every task that you may see is assigned to somebody.")
    assert looker.barriers() == []
    looker.go("#/inbox?view=mine")
    expect(looker.link("Look at it")).to_be_visible()


def test_tabs_search_and_order_find_tasks(studio: Studio, looker: Looker, task: str) -> None:
    looker.go("#/inbox?view=mine")
    looker.sees("You have no task.")
    looker.link("For me and my groups").click()
    looker.sees("There is no task to take.")
    looker.link("See 1 task under All").click()
    expect(looker.link("Approve the server")).to_be_visible()
    looker.page.get_by_role("searchbox", name="Search tasks").fill("nothing like that")
    looker.sees("No task is like that.")
    looker.page.get_by_role("searchbox", name="Search tasks").fill("o-17")
    expect(looker.link("Approve the server")).to_be_visible()
    looker.field("Order").select_option("Highest priority")
    expect(looker.link("Approve the server")).to_be_visible()
    assert looker.barriers() == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("phone", {"width": 390, "height": 844}),
        ("dark", {"colours": "dark"}),
        ("chinese", {"language": "zh-CN"}),
    ],
)
def test_a_task_looks_well_for_everybody(somebody: Bring, task: str, name: str, options: dict[str, Any]) -> None:
    looker = somebody(**options)
    for place in ("#/inbox?view=all", f"#/task/{task}"):
        looker.go(place)
        expect(looker.page.get_by_text("A server for Ann").first).to_be_visible()
        if "/task/" in place:
            expect(looker.page.locator(".task-picture img")).to_be_visible()
            looker.page.locator("button[type=submit]").click()
            expect(looker.page.locator("[role=alert]").first).to_be_visible()
        looker.keep(f"{name}-{'task' if '/task/' in place else 'inbox'}", whole=True)
        assert looker.barriers() == []
        assert looker.overflow <= 0


def test_a_task_is_done_with_the_keyboard_alone(studio: Studio, looker: Looker, task: str) -> None:
    page = looker.page
    looker.go("#/inbox?view=all")
    expect(looker.link("Approve the server")).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent") == "Approve the server":
            break
    page.keyboard.press("Enter")
    expect(looker.field("Name of the server")).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.labels?.[0]?.textContent ?? ''").startswith(
            "Name of the server"
        ):
            break
    page.keyboard.type("srv-3")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(looker.field("Approve", exact=True)).to_be_checked()
    page.keyboard.press("Control+Enter")
    looker.sees("Approve the server is done.")
    assert studio.engine.task(task).outputs["decision"] == "yes"
