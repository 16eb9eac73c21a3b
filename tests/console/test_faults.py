"""What the console does when texts are hostile, processes are large, calls are refused and the server is away."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import expect

from riverstone.bpmn_samples import path
from riverstone.engine import Stone

from ..faults.yard import until
from .conftest import Studio
from .looking import Looker

HOSTILE = "\u202eevil\u202c <img src=x onerror=alert(1)><script>alert(2)</script> javascript:alert(3) " + "long-" * 30
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="urn:x">'
)


class Echo(Stone):
    """Puts out what it is given <b>and says so</b>."""

    code = "echo"
    outputs = {"<i>said</i>": "<u>what</u> it was given"}

    def start(self, task: Any) -> None:
        task.log(HOSTILE)
        task.add_output("<i>said</i>", task.parameters.get("text", ""))
        if task.parameters.get("text") == HOSTILE:
            raise RuntimeError(HOSTILE)


def chain(key: str, count: int, *, name: str = "", repeats: int = 0) -> bytes:
    """A process of so many tasks in a row, of which the first may run more than once."""
    loop = (
        f"<multiInstanceLoopCharacteristics><loopCardinality>{repeats}</loopCardinality>"
        "</multiInstanceLoopCharacteristics>"
    )
    nodes = [
        f'<serviceTask id="t{number}" name="{name or number}" camunda:type="external" camunda:topic="echo">'
        f"{loop if repeats and number == 0 else ''}</serviceTask>"
        for number in range(count)
    ]
    ids = ["s", *(f"t{number}" for number in range(count)), "e"]
    flows = [
        f'<sequenceFlow id="f{number}" sourceRef="{one}" targetRef="{other}"/>'
        for number, (one, other) in enumerate(pairwise(ids))
    ]
    parts = [
        f'<process id="{key}" isExecutable="true"><startEvent id="s"/>',
        *nodes,
        *flows,
        '<endEvent id="e"/></process>',
    ]
    return (HEAD + "".join(parts) + "</definitions>").encode()


def test_an_id_in_a_link_leads_to_no_other_call(looker: Looker) -> None:
    """Its page would show what that call answers, and its buttons would act on it."""
    asked: list[str] = []
    looker.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    for place in (
        "#/process/..%2Fdeployment",
        "#/model/..%2Fprocess%2F..%2Fdeployment",
        "#/process/%2E%2E%2Fdeployment",
    ):
        looker.go(place)
        looker.page.reload()
        expect(looker.page.get_by_role("alert").first).to_be_visible()
    assert "/client" in asked
    assert "/deployment" not in asked


def test_hostile_texts_are_shown_and_do_nothing(studio: Studio, looker: Looker) -> None:
    studio.engine.register(Echo)
    name = HOSTILE.replace("&", "&amp;").replace("<", "&lt;")
    deployed = studio.engine.deploy(chain("hostile", 1, name=name), name=HOSTILE)
    started = studio.engine.start(
        key="hostile", name=HOSTILE, variables={"text": HOSTILE, "<b>": HOSTILE}, business_key="<h1>"
    )
    studio.engine.wait(started.process_instance_id, timeout=60)

    looker.go()
    looker.sees("onerror=alert(1)")
    looker.keep("hostile-list")
    looker.go(f"#/process/{started.process_instance_id}")
    looker.page.locator(".opener").first.click()
    expect(looker.page.locator(".log")).to_contain_text("<script>alert(2)</script>")
    looker.page.locator("summary").first.click()
    looker.keep("hostile", whole=True)
    assert looker.overflow <= 0
    looker.go(f"#/model/{deployed.model_id}")
    looker.sees("onerror=alert(1)")
    looker.go("#/stones?<script>alert(4)</script>")
    looker.sees("Puts out what it is given <b>and says so</b>.")
    looker.go("#/process/<img src=x onerror=alert(5)>")
    expect(looker.page.get_by_role("alert")).to_be_visible()
    assert looker.page.locator("img[onerror], main script").count() == 0


def test_a_large_process_is_shown_in_parts(studio: Studio, looker: Looker) -> None:
    studio.engine.register(Echo)
    studio.engine.deploy(chain("large", 400, repeats=601))
    started = studio.engine.start(key="large", name="large", variables={})
    studio.engine.wait(started.process_instance_id, timeout=60)

    looker.go(f"#/process/{started.process_instance_id}")
    looker.sees("1000 tasks")
    expect(looker.page.locator(".djs-element.is-success")).to_have_count(400)
    expect(looker.page.locator(".tasks tbody tr")).to_have_count(100)
    expect(looker.page.locator(".mark.is-count")).to_have_text("601")
    repeated = looker.page.locator(".of-element", has_text="601 tasks")
    expect(repeated).to_contain_text("601 Done")
    asked: list[str] = []
    looker.page.on("request", lambda request: asked.append(request.url))
    repeated.get_by_role("button").click()
    expect(looker.page.locator(".tasks tbody tr")).to_have_count(151)
    assert looker.barriers() == []
    looker.button("Show more of them").click()
    expect(looker.page.locator(".tasks tbody tr")).to_have_count(201)
    assert all("limit=" in url for url in asked if url.endswith("/task") or "/task?" in url)
    looker.button("Show 300 more").click()
    looker.button("Show all").click()
    looker.keep("large")
    last = studio.engine.tasks(started.process_instance_id)[-1]
    looker.go(f"#/process/{started.process_instance_id}?task={last.task_id}")
    expect(looker.page.locator(f"#task-{last.task_id}")).to_be_visible()
    looker.button("Delete…").click()
    looker.sees("stay as they are")


def test_of_many_failures_a_few_are_asked_for(studio: Studio, looker: Looker) -> None:
    class Blunt(Echo):
        """Fails."""

        def start(self, task: Any) -> None:
            raise RuntimeError("The saw is blunt.")

    studio.engine.register(Blunt)
    studio.engine.deploy(chain("failing", 1, repeats=250))
    started = studio.engine.start(key="failing", name="many", variables={}, on_failure="pause")
    number = started.process_instance_id
    until(lambda: len(studio.engine.failures(number)) == 250)

    asked: list[str] = []
    looker.page.on("request", lambda request: asked.append(request.url))
    looker.go(f"#/process/{number}")
    looker.sees("And 230 more.")
    looker.sees("250 tasks")
    assert 0 < len({url for url in asked if url.endswith("/detail")}) <= 21
    decided = [str(failure.task_id) for failure in studio.engine.failures(number)[:20]]
    for task_id in decided:
        studio.engine.skip(task_id)
    looker.sees("And 210 more.")
    asked.clear()
    studio.engine.skip(str(studio.engine.failures(number)[0].task_id))
    looker.sees("And 209 more.")
    # No more is asked about those that are decided.
    assert {url.split("/")[-2] for url in asked if url.endswith("/detail")}.isdisjoint(decided)
    assert looker.barriers() == []


def test_a_refusal_is_told_in_the_server_s_own_words(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(path("app_server"))
    started = studio.engine.start(key="app-server", name="shop", variables={"regionId": "bcc"})
    studio.engine.wait(started.process_instance_id, timeout=60)

    looker.go(f"#/process/{started.process_instance_id}")
    looker.button("Delete…").click()
    studio.engine.protect(started.process_instance_id)
    looker.button("Delete the results").click()
    expect(looker.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("protected")
    looker.keep("refused")
    looker.button("Back").click()
    looker.button("Allow delete").click()
    expect(looker.button("Protect from delete")).to_be_visible()
    looker.go("#/process/123456")
    expect(looker.page.get_by_role("alert")).to_contain_text("123456")


def test_it_goes_on_when_the_server_is_back(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(path("message"))
    started = studio.engine.start(key="message", name="waits", variables={})
    looker.go(f"#/process/{started.process_instance_id}")
    looker.sees_status("Waits for message payment-received")

    studio.shut()
    looker.sees("The server does not answer.")
    looker.keep("server-away")
    studio.engine.cancel(started.process_instance_id)
    studio.open()
    looker.sees_status("Cancelled")
    expect(looker.page.locator(".weather")).to_be_empty()


def test_what_somebody_else_does_is_seen_without_asking(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(path("message"))
    looker.go()
    looker.sees("No process was started yet")

    started = studio.engine.start(key="message", name="appears", variables={})
    expect(looker.page.locator(".processes .badge")).to_have_text("Waits for message payment-received")
    studio.engine.cancel(started.process_instance_id)
    expect(looker.page.locator(".processes .badge")).to_have_text("Cancelled")
