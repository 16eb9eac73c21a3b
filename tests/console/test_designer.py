"""Authors at the designer: their work is kept with its errors, never overwritten unseen, and needs no XML or JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from riverstone.bpmn_samples import path
from riverstone.engine import Engine, UnknownDraft

from ..features.sketch import definitions, flow, line, process, service
from ..features.test_decisions import decisions, table
from .conftest import Studio
from .looking import Looker

Bring = Callable[..., Looker]
WAIT = (
    '<intermediateCatchEvent id="wait" name="Wait"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    "</timerEventDefinition></intermediateCatchEvent>"
)
# No browser sends as much while it leaves a page.
LARGE = f"<documentation>{'A long story. ' * 6000}</documentation>".encode()
VOLUMES = line(
    "volumes",
    service("first", "SIP::EC2::Volume", {"instanceCode": "a"}),
    service("second", "SIP::EC2::Volume", {"instanceCode": "${outputs.first.volumeCode}"}),
    WAIT,
)


def opened(looker: Looker, model_id: str) -> Page:
    looker.go(f"#/edit/{model_id}")
    expect(looker.page.locator(".designer-canvas[data-ready]")).to_be_visible()
    return looker.page


def choose(page: Page, element: str) -> None:
    page.locator(f'.designer-canvas .djs-element[data-element-id="{element}"] > .djs-hit').first.click()
    expect(page.locator(".designer-panel-head h2")).to_be_visible()


def kept(engine: Engine, model_id: str) -> Any:
    """The draft as it is stored, or None."""
    try:
        return engine.draft(model_id)
    except UnknownDraft:
        return None


def test_what_is_drawn_is_kept_before_it_is_saved(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = opened(looker, model_id)

    choose(page, "first")
    looker.field("Name", exact=True).fill("The first volume")
    looker.sees("draft kept")
    page.reload()
    looker.sees("You go on with a draft that local wrote")
    choose(page, "first")
    expect(page.locator(".designer-panel-head h2")).to_have_text("The first volume")
    assert "The first volume" not in studio.engine.model(model_id).xml
    looker.button("Save").click()
    looker.sees("volumes is saved.")
    assert "The first volume" in studio.engine.model(model_id).xml
    assert kept(studio.engine, model_id) is None


def large(model: bytes) -> bytes:
    return re.sub(rb"(<process [^>]*>)", rb"\1" + LARGE, model)


def test_what_the_server_did_not_get_is_there_after_a_reload(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(large(VOLUMES)).model_id
    page = opened(looker, model_id)
    page.route("**/draft", lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    choose(page, "first")
    looker.field("Name", exact=True).fill("The first volume")
    page.reload()
    looker.sees("What you had drawn last and the server did not get is here again.")
    looker.keep("designer-brought-back")
    assert kept(studio.engine, model_id) is None
    page.unroute("**/draft")
    choose(page, "first")
    expect(page.locator(".designer-panel-head h2")).to_have_text("The first volume")
    looker.field("Name", exact=True).fill("The very first volume")
    looker.sees("draft kept")
    page.reload()
    looker.sees("You go on with a draft that local wrote")
    assert page.evaluate("() => JSON.stringify({...sessionStorage})") == "{}"


def test_what_was_not_sent_overwrites_nobody(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(large(VOLUMES)).model_id
    page = opened(looker, model_id)
    page.route("**/draft", lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    choose(page, "first")
    looker.field("Name", exact=True).fill("Mine")
    theirs = VOLUMES.replace(b'name="Wait"', b'name="Theirs"')
    studio.engine.write_draft(theirs, model_id=model_id, who="ann")
    page.reload()
    page.unroute("**/draft")
    looker.button("Take theirs").click()
    looker.sees("Theirs")
    page.reload()
    looker.sees("You go on with a draft that ann wrote")


def test_a_tab_that_is_closed_at_once_loses_nothing(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    other = looker.context.new_page()
    page = opened(looker, model_id)
    choose(page, "first")
    looker.field("Name", exact=True).fill("The first volume")
    page.close(run_before_unload=True)
    other.goto(f"{looker.url}/console/#/edit/{model_id}")
    expect(other.locator(".designer-canvas[data-ready]")).to_be_visible()
    choose(other, "first")
    expect(other.locator(".designer-panel-head h2")).to_have_text("The first volume")


def test_what_is_pressed_right_after_typing_is_done(studio: Studio, looker: Looker) -> None:
    """What was typed is written meanwhile, which draws the buttons beside the element anew."""
    page = opened(looker, studio.engine.save_model(VOLUMES).model_id)
    choose(page, "first")
    looker.field("Name", exact=True).fill("The first volume")
    page.locator('.djs-context-pad [data-action="append.append-task"]').click(delay=600)
    expect(page.locator(".designer-panel-head .sub")).to_have_text("Task")
    choose(page, "first")
    expect(page.locator(".designer-panel-head h2")).to_have_text("The first volume")


def test_nothing_scrolls_twice(studio: Studio, looker: Looker) -> None:
    """The designer is as high as the window, and in a long dialog only the fields scroll."""
    page = opened(looker, studio.engine.save_model(VOLUMES).model_id)
    scrolls = "node => node.scrollHeight - node.clientHeight"
    assert page.locator("html").evaluate(scrolls) == 0
    looker.button("Add a variable").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert dialog.locator(".dialog-content").evaluate(scrolls) > 0
    assert dialog.evaluate(scrolls) == 0


def test_two_authors_do_not_overwrite_each_other(studio: Studio, looker: Looker, somebody: Bring) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    mine, theirs = looker, somebody()
    for each in (mine, theirs):
        choose(opened(each, model_id), "first")
    theirs.field("Name", exact=True).fill("Theirs")
    theirs.sees("draft kept")
    mine.field("Name", exact=True).fill("Mine")
    mine.sees("somebody else has written")
    assert 'name="Theirs"' in kept(studio.engine, model_id).files[0]
    mine.keep("designer-taken")
    assert mine.barriers() == []

    mine.button("Keep mine instead").click()
    mine.sees("draft kept")
    assert 'name="Mine"' in kept(studio.engine, model_id).files[0]
    theirs.field("Name", exact=True).fill("Theirs again")
    theirs.button("Take theirs").click()
    choose(theirs.page, "first")
    expect(theirs.page.locator(".designer-panel-head h2")).to_have_text("Mine")


def test_another_key_is_another_model(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    opened(looker, model_id)
    looker.field("Key").fill("disks")
    looker.button("Save").click()
    looker.button("Save as a new model").click()
    looker.sees("volumes is saved.")
    assert {model.key for model in studio.engine.models().items} == {"volumes", "disks"}
    assert studio.engine.model(model_id).key == "volumes"
    assert kept(studio.engine, model_id) is None


def test_a_file_with_errors_becomes_a_draft_in_which_they_are_marked(
    studio: Studio, looker: Looker, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.bpmn"
    file.write_bytes(line("wrong", service("step", "SIP::Nothing"), '<userTask id="ask" name="Ask"/>'))
    page = looker.page
    looker.go("#/models")
    looker.button("Upload…").click()
    page.get_by_label("BPMN files").set_input_files(file)
    looker.button("Upload", exact=True).click()
    looker.sees("kept as a draft")
    expect(page.locator(".designer-canvas .mark.is-failed")).to_be_visible()
    page.locator(".designer-verdict").click()
    page.locator(".designer-findings").get_by_role("button", name="step").click()
    expect(page.locator(".designer-panel-head h2")).to_have_text("step")
    page.locator(".designer-findings summary", has_text="unknown-stone").click()
    looker.sees("The same, mended:")
    assert 'camunda:topic="work"' in page.locator(".designer-findings pre").nth(1).inner_text()
    looker.keep("designer-findings")
    assert looker.barriers() == []
    page.get_by_label("What carries it out").select_option("riverstone:SIP::EC2::Volume")
    page.get_by_label("instanceCode").fill("a")
    expect(page.locator(".designer-verdict.is-failed")).to_have_count(0)
    looker.button("Deploy").click()
    looker.sees("is deployed as version 1")
    looker.go("#/models")
    looker.sees("wrong")
    expect(page.locator(".drafts")).to_be_hidden()


def test_the_verdict_says_that_there_is_none(studio: Studio, looker: Looker) -> None:
    """Before the first answer, and where the server cannot be asked: an old verdict would be taken for one of now."""
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = looker.page
    held: list[Route] = []
    page.route("**/finding", lambda route: held.append(route))
    opened(looker, model_id)
    verdict = page.locator(".designer-verdict")
    expect(verdict).to_have_text("Checking…")
    for each in held:
        each.continue_()
    page.unroute("**/finding")
    expect(verdict).to_have_text("1 warning")
    page.route("**/finding", lambda route: route.abort())
    choose(page, "first")
    looker.field("Name", exact=True).fill("Another")
    expect(verdict).to_have_text("Not checked")
    verdict.click()
    expect(page.locator(".designer-findings .box")).to_be_visible()
    looker.keep("designer-not-checked")
    page.unroute("**/finding")
    looker.field("Name", exact=True).fill("The first")
    expect(verdict).to_have_text("1 warning")


def test_a_renamed_element_is_read_by_its_new_name(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(
        VOLUMES, outputs_template=[{"Key": "code", "Value": "${outputs.first.volumeCode}"}]
    ).model_id
    page = opened(looker, model_id)
    choose(page, "first")
    looker.field("Id", exact=True).fill("disk")
    looker.sees("draft kept")
    looker.button("Save").click()
    looker.sees("volumes is saved.")
    saved = studio.engine.model(model_id)
    assert "${outputs.disk.volumeCode}" in saved.xml
    assert "outputs.first" not in saved.xml
    assert saved.outputs_template == [{"Key": "code", "Value": "${outputs.disk.volumeCode}"}]


def test_the_start_form_and_the_results_are_edited_without_json(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = opened(looker, model_id)
    looker.button("Add a variable").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("size")
    dialog.get_by_label("Kind").select_option("Integer")
    dialog.get_by_label("Default", exact=True).fill("20")
    dialog.get_by_label("Most", exact=True).fill("100")
    dialog.get_by_label("Allowed values").fill("10\n20")
    assert looker.barriers() == []
    dialog.get_by_role("button", name="Take over").click()
    looker.button("Add a result").click()
    dialog.get_by_label("Name", exact=True).fill("code")
    dialog.get_by_label("Value", exact=True).fill("${outputs.first.volumeCode}")
    dialog.get_by_role("button", name="Take over").click()
    looker.button("Save").click()
    looker.sees("volumes is saved.")
    saved = studio.engine.model(model_id)
    assert saved.parameter_template == [
        {"Key": "size", "Type": "Integer", "DefaultValue": 20, "MaxValue": 100, "AllowedValues": [10, 20]}
    ]
    assert saved.outputs_template == [{"Key": "code", "Value": "${outputs.first.volumeCode}"}]


def test_a_timer_tells_when_it_would_come(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = opened(looker, model_id)
    choose(page, "wait")
    looker.sees("Set now, it would come:")
    page.get_by_label("When").fill("PT1X")
    expect(page.locator(".designer-panel .hint.wrong")).to_be_visible()
    page.get_by_label("When").fill("PT30S")
    looker.sees("Set now, it would come:")
    looker.keep("designer-timer")
    assert looker.barriers() == []


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_every_kind_of_element_has_its_form_in_the_dark_too(studio: Studio, somebody: Bring, language: str) -> None:
    looker = somebody(language=language, colours="dark")
    for sample in ("error_boundary", "cluster", "loop", "call_activity", "user_task", "signal", "inclusive"):
        page = opened(looker, studio.engine.write_draft(path(sample)).model_id)
        ids = page.locator(".designer-canvas .djs-element").evaluate_all(
            "nodes => nodes.map((node) => node.dataset.elementId)"
        )
        for element in ids:
            shape = page.locator(f'.designer-canvas .djs-element[data-element-id="{element}"]').first
            shape.locator("> .djs-hit").first.dispatch_event("click")
            expect(page.locator(".designer-panel")).not_to_contain_text("undefined")
        assert len(ids) > 3
        assert looker.barriers("color-contrast", "label", "button-name") == [], sample


def test_what_cannot_be_drawn_is_said_before_it_is_lost(studio: Studio, looker: Looker) -> None:
    dangling = VOLUMES.replace(
        b"</process>", b'<sequenceFlow id="loose" sourceRef="first" targetRef="gone"/></process>', 1
    )
    opened(looker, studio.engine.write_draft(dangling).model_id)
    looker.sees("cannot be drawn")
    looker.sees("gone")
    assert looker.barriers() == []


def test_what_a_person_is_asked_is_drawn_field_by_field(studio: Studio, looker: Looker) -> None:
    model = line("ask-form", '<userTask id="ask" name="Ask"/>')
    model_id = studio.engine.save_model(model).model_id
    page = opened(looker, model_id)
    choose(page, "ask")

    def add(variable: str, question: str, kind: str) -> None:
        looker.button("Add a field").click()
        looker.field("Variable").fill(variable)
        looker.field("Question").fill(question)
        looker.field("Kind of answer").select_option(kind)

    add("size", "How large?", "Whole number")
    looker.field("Has to be answered").check()
    looker.field("Most").fill("64")
    assert looker.barriers() == []
    looker.keep("designer-field")
    looker.button("Take over").click()
    add("land", "Where?", "Choice")
    looker.button("Take over").click()
    looker.sees("Give the choices, one a line.")
    looker.field("Choices").fill("de = Germany\ncn = China")
    looker.button("Take over").click()
    add("size", "Again?", "Text")
    looker.button("Take over").click()
    looker.sees("Another field has this variable.")
    looker.button("Back").click()
    looker.button("Move up").last.click()
    looker.button("Save").click()
    looker.sees("ask-form is saved.")
    page.reload()
    choose(page, "ask")
    expect(page.locator(".designer-list li")).to_have_count(2)

    number = studio.engine.start(model_id=model_id, name="trial", variables={}).process_instance_id
    task = studio.engine.tasks(number)[0].task_id
    parts = studio.engine.people.form(task).parts
    assert [(part.key, part.label, part.kind) for part in parts] == [
        ("land", "Where?", "select"),
        ("size", "How large?", "number"),
    ]
    assert [(each.value, each.label) for each in parts[0].options] == [("de", "Germany"), ("cn", "China")]
    assert (parts[1].required, parts[1].maximum) == (True, 64)


def test_what_a_start_is_asked_is_drawn_with_its_event(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(line("ask-start", '<userTask id="ask" name="Ask"/>')).model_id
    page = opened(looker, model_id)
    choose(page, "begin")
    looker.button("Add a field").click()
    looker.field("Variable").fill("size")
    looker.field("Question").fill("How large?")
    looker.field("Kind of answer").select_option("Whole number")
    looker.field("Has to be answered").check()
    looker.button("Take over").click()
    looker.sees("How large?")
    looker.keep("designer-start-form")
    assert looker.barriers() == []
    choose(page, "ask")
    looker.field("Assignee").focus()
    page.keyboard.type("${")
    expect(page.locator(".offer:popover-open li code").filter(has_text="${size}")).to_be_visible()
    looker.field("Assignee").fill("")
    looker.button("Save").click()
    looker.sees("ask-start is saved.")
    (part,) = studio.engine.start_form(model_id=model_id).parts
    assert (part.key, part.label, part.kind, part.required) == ("size", "How large?", "number", True)
    looker.button("Trial run").click()
    expect(looker.field("How large?")).to_be_visible()


SIZE = decisions(size=table("FIRST", ["amount"], ["type", "count"], '- : "m1" | 2'))
ORDER = definitions(
    """<process id="order" isExecutable="true"><startEvent id="s"/>
    <sequenceFlow id="a" sourceRef="s" targetRef="approve"/>
    <userTask id="approve" name="Approve it"><extensionElements><camunda:formData>
    <camunda:formField id="approved" label="Approved?" type="boolean"><camunda:validation>
    <camunda:constraint name="required"/></camunda:validation></camunda:formField></camunda:formData>
    </extensionElements></userTask><sequenceFlow id="b" sourceRef="approve" targetRef="choose"/>
    <businessRuleTask id="choose" name="Choose a size" camunda:decisionRef="size" camunda:resultVariable="size"
      camunda:mapDecisionResult="singleResult"/><sequenceFlow id="c" sourceRef="choose" targetRef="way"/>
    <exclusiveGateway id="way" default="no"/>
    <sequenceFlow id="yes" name="yes" sourceRef="way" targetRef="tell">
    <conditionExpression>${approved}</conditionExpression></sequenceFlow><userTask id="tell" name="Tell them"/>
    <sequenceFlow id="d" sourceRef="tell" targetRef="e"/>
    <sequenceFlow id="no" sourceRef="way" targetRef="refused"/><endEvent id="e"/><endEvent id="refused"/></process>"""
)


def test_what_people_and_decisions_give_is_offered(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(SIZE)
    page = opened(looker, studio.engine.save_model(ORDER).model_id)
    choose(page, "tell")
    field = looker.field("Assignee")
    with page.expect_response(lambda response: "/deployment/" in response.url):
        page.reload()
        expect(page.locator(".designer-canvas[data-ready]")).to_be_visible()
        choose(page, "tell")
    field.focus()
    field.press("ArrowDown")
    options = page.locator(".offer:popover-open li code")
    expect(options.filter(has_text="${approved}")).to_be_visible()
    assert [text for text in options.all_inner_texts() if text.endswith(".}")] == []
    assert {"${approved}", "${size}", "${size.type}", "${size.count}"} <= set(options.all_inner_texts())
    box = page.locator(".offer:popover-open").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 1440
    assert box["y"] + box["height"] <= 900
    looker.keep("designer-offer")
    field.press("Escape")
    expect(page.locator(".offer:popover-open")).to_have_count(0)


def test_a_decision_is_neither_drawn_nor_started(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(SIZE)
    studio.engine.deploy(VOLUMES)
    (model,) = [model for model in studio.engine.models().items if model.key == "d"]
    looker.go(f"#/model/{model.model_id}")
    expect(looker.page.get_by_role("heading", level=1)).to_be_visible()
    looker.sees("Hit policy FIRST")
    expect(looker.link("Draw")).to_have_count(0)
    looker.go(f"#/edit/{model.model_id}")
    looker.sees("holds decisions only")
    looker.go("#/start")
    expect(looker.page.locator("#what option")).to_have_count(2)
    assert all("volumes" in text for text in looker.page.locator("#what option").all_inner_texts())


def test_what_is_open_closes_with_its_page(studio: Studio, looker: Looker) -> None:
    looker.go("#/models")
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = opened(looker, model_id)
    menu = page.locator("details.menu")
    for by_key in (True, False):
        menu.locator("summary").click()
        expect(looker.button("SVG")).to_be_visible()
        if by_key:
            page.keyboard.press("Escape")
        else:
            page.locator(".designer-canvas").click()
        expect(looker.button("SVG")).to_be_hidden()
    looker.button("Discard draft").click()
    expect(page.locator("dialog")).to_be_visible()
    page.go_back()
    expect(page.locator("dialog")).to_have_count(0)


def test_a_start_variable_has_a_name_and_a_default_of_its_type(studio: Studio, looker: Looker) -> None:
    page = opened(looker, studio.engine.save_model(VOLUMES).model_id)
    looker.button("Add a variable").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Name", exact=True).fill("customer name")
    dialog.locator("button[type=submit]").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is no name")
    dialog.get_by_label("Name", exact=True).fill("customers")
    dialog.get_by_label("Kind").select_option("Integer")
    dialog.get_by_label("Default").fill("many")
    dialog.locator("button[type=submit]").click()
    expect(dialog.get_by_role("alert")).to_contain_text("no value of the type")
    dialog.get_by_label("Default").fill("3")
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_have_count(0)


def test_a_flow_past_a_task_is_not_drawn_through_it(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = opened(looker, model_id)
    choose(page, "first")
    page.locator('.djs-context-pad [data-action="connect"]').click()
    page.locator('.designer-canvas .djs-element[data-element-id="done"] > .djs-hit').first.hover()
    page.locator('.designer-canvas .djs-element[data-element-id="done"] > .djs-hit').first.click()
    looker.sees("draft kept")
    looker.keep("designer-around")
    drawn = kept(studio.engine, model_id).files[0]
    (flow_id,) = re.findall(r'sequenceFlow id="([^"]+)" sourceRef="first" targetRef="done"', drawn)
    edge = re.search(rf'bpmnElement="{flow_id}".*?</bpmndi:BPMNEdge>', drawn, re.DOTALL)
    assert edge is not None
    points = [(float(x), float(y)) for x, y in re.findall(r'waypoint x="([\d.-]+)" y="([\d.-]+)"', edge[0])]
    assert len(points) == 4
    assert points[1][1] == points[2][1] < min(points[0][1], points[3][1])
    looker.button("Undo").click()
    looker.sees("draft kept")


@pytest.mark.parametrize(("width", "language"), [(390, "en-GB"), (900, "zh-CN")])
def test_where_it_is_narrow_the_shelf_is_opened_to_place_a_stone(
    studio: Studio, somebody: Bring, width: int, language: str
) -> None:
    looker = somebody(width=width, height=844, language=language)
    page = opened(looker, studio.engine.save_model(VOLUMES).model_id)
    card = page.locator(".stone-card", has_text="SIP::EC2::Instance")
    shelf = page.locator(".designer-shelf-opener")
    expect(card).to_be_hidden()
    page.locator('.designer-canvas .djs-element[data-element-id="second"] > .djs-hit').first.click()
    shelf.click()
    expect(shelf).to_have_attribute("aria-expanded", "true")
    looker.keep(f"designer-shelf-{width}")
    assert looker.barriers() == []
    assert looker.overflow <= 0
    card.tap() if width < 500 else card.click()
    expect(card).to_be_hidden()
    expect(page.locator(".designer-panel-head .sub")).to_contain_text("Server")
    placed = page.locator(".designer-canvas .djs-element.selected .djs-visual").first
    expect(placed).to_be_in_viewport()
    looker.keep(f"designer-placed-{width}")

    shelf.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".designer-shelf input")).to_be_focused()
    page.keyboard.type("Mail")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".designer-panel-head .sub")).to_contain_text("Mail")
    page.keyboard.press("Escape")
    expect(shelf).to_be_focused()
    expect(card).to_be_hidden()


def test_the_pauses_before_retries_are_set_field_by_field(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = opened(looker, model_id)
    choose(page, "first")
    looker.field("Retries", exact=True).fill("3")
    looker.field("First pause", exact=True).fill("PT10S")
    looker.field("Longest pause", exact=True).fill("PT1M")
    looker.field("Spread of the pauses", exact=True).fill("0.2")
    page.get_by_text("Retries of the undo").click()
    looker.field("Undo: retries").fill("PT30S,PT5M")
    looker.field("Undo: retried for").fill("PT1H")
    assert looker.barriers() == []
    looker.button("Save").click()
    looker.sees("volumes is saved.")
    saved = studio.engine.model(model_id).xml
    told = {"retries": "3", "retryBackoff": "PT10S", "retryBackoffMax": "PT1M", "retryJitter": "0.2"}
    told |= {"undoRetries": "PT30S,PT5M", "undoRetryFor": "PT1H"}
    assert all(f'name="{name}" value="{value}"' in saved for name, value in told.items())
    assert [each.code for each in studio.engine.lint_model(model_id)] == ["unknown-output"]


def test_the_names_of_outputs_follow_the_id(studio: Studio, looker: Looker) -> None:
    page = opened(looker, studio.engine.save_model(VOLUMES).model_id)
    choose(page, "first")
    looker.field("Id", exact=True).fill("disk")
    expect(page.locator(".designer-outputs")).to_contain_text("${outputs.disk.")
    expect(page.locator("[data-id-hint]")).to_contain_text("${outputs.disk.")


def test_somebody_is_waited_for_as_long_as_is_said(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = opened(looker, model_id)
    choose(page, "first")
    looker.field("When it fails for good").select_option(label="wait for somebody for a time, then roll back")
    looker.field("How long").fill("P1D")
    looker.sees("draft kept")
    assert 'name="onFailure" value="pause P1D"' in kept(studio.engine, model_id).files[0]


def test_the_way_through_a_decision_is_painted(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(SIZE)
    studio.engine.deploy(ORDER)
    started = studio.engine.start(key="order", name="order")
    engine = studio.engine
    looker.go(f"#/process/{started.process_instance_id}")
    for values in ({"approved": True}, {}):
        task = next(each for each in engine.tasks(started.process_instance_id) if each.end_time is None)
        engine.people.complete(task.task_id, values)
    looker.sees_status("Succeeded")
    for taken in ("b", "c", "yes", "d"):
        expect(looker.element(taken)).to_have_class(re.compile("is-taken"))
    expect(looker.element("no")).not_to_have_class(re.compile("is-taken"))


def test_stones_are_lined_up_by_the_keyboard_and_a_wrong_id_is_told(studio: Studio, looker: Looker) -> None:
    page = looker.page
    panel = page.locator(".designer-panel")
    looker.go("#/models")
    looker.button("New model").click()
    looker.field("Name").fill("Keys")
    page.keyboard.press("Enter")
    expect(page.locator(".designer-canvas[data-ready]")).to_be_visible()
    card = page.locator(".stone-card", has_text="SIP::Mail")
    card.focus()
    for number in (1, 2):
        page.keyboard.press("Enter")
        expect(page.locator(".designer-canvas .djs-connection")).to_have_count(number)
        expect(card).to_be_focused()
    # The last one is chosen, and has an id of its own.
    field = panel.get_by_label("Id", exact=True)
    second = field.input_value()
    first = page.locator(".designer-canvas .djs-shape").nth(1).get_attribute("data-element-id")
    assert first not in (second, None)
    for wrong, told in (("7", "no digit first"), (str(first), "Another element has this id.")):
        field.fill(wrong)
        looker.sees(told)
        looker.sees(f"It is still {second}.")
        expect(field).to_have_attribute("aria-invalid", "true")
    assert looker.barriers() == []
    field.fill("letter")
    expect(page.locator('.designer-canvas [data-element-id="letter"]')).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "false")


WAYS = definitions(
    process(
        "sizes", '<startEvent id="s"/><exclusiveGateway id="g" name="How large?"/>',
        '<endEvent id="small" name="Small"/><endEvent id="large" name="Large"/><endEvent id="other" name="Other"/>',
        flow("s", "g"), flow("g", "small"), flow("g", "large", "${size > 10}"), flow("g", "other"),
    )
)  # fmt: skip


def test_a_gateway_lists_its_flows_with_their_conditions(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(WAYS).model_id
    page = opened(looker, model_id)
    choose(page, "g")
    ways = page.locator(".designer-ways li")
    expect(ways.locator(".link")).to_have_text(["→ Small", "→ Large", "→ Other"])
    ways.nth(0).get_by_label("Taken when", exact=True).fill("${size < 3}")
    ways.nth(2).get_by_label("Taken when no other is").check()
    expect(ways.nth(2).get_by_label("Taken when", exact=True)).to_have_count(0)
    ways.nth(1).get_by_role("button", name="Move up").click()
    expect(ways.locator(".link")).to_have_text(["→ Large", "→ Small", "→ Other"])
    # With the keyboard: the focus stays, and what is undone is shown.
    ways.nth(2).get_by_role("button", name="Move up").focus()
    page.keyboard.press("Enter")
    expect(ways.locator(".link")).to_have_text(["→ Large", "→ Other", "→ Small"])
    expect(ways.nth(2).get_by_role("button", name="Move up")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(ways.locator(".link")).to_have_text(["→ Large", "→ Small", "→ Other"])
    looker.keep("designer-gateway")
    assert looker.barriers() == []
    page.locator(".designer-canvas").press("Control+z")
    expect(ways.locator(".link")).to_have_text(["→ Small", "→ Large", "→ Other"])
    page.locator(".designer-canvas").press("Control+y")
    expect(ways.locator(".link")).to_have_text(["→ Large", "→ Small", "→ Other"])
    looker.button("Deploy").click()
    looker.sees("is deployed as version 1")
    saved = studio.engine.model(model_id).xml
    assert saved.index('targetRef="large"') < saved.index('targetRef="small"') < saved.index('targetRef="other"')
    assert 'default="g_other"' in saved
    ways.nth(1).locator(".link").click()
    expect(page.locator(".designer-panel-head .sub")).to_have_text("Flow")
    expect(looker.field("Taken when", exact=True)).to_have_value("${size < 3}")


def test_what_was_deployed_is_started_from_there(studio: Studio, looker: Looker) -> None:
    page = opened(looker, studio.engine.save_model(line("hello", '<userTask id="ask" name="Ask"/>')).model_id)
    looker.button("Deploy").click()
    looker.sees("is deployed as version 1")
    page.get_by_role("main").get_by_role("link", name="Start").click()
    expect(page).to_have_url(re.compile("#/start.*key=hello"))


def test_nothing_is_pressed_before_something_is_drawn(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    held: list[Route] = []
    looker.page.route("**/template*", lambda route: held.append(route))
    looker.go(f"#/edit/{model_id}")
    barred = looker.page.locator(".designer-bar [inert]")
    expect(barred).to_have_count(2)
    looker.page.keyboard.press("Control+s")
    while not held:
        looker.page.wait_for_timeout(50)
    held[0].continue_()
    expect(barred).to_have_count(0)


def test_a_form_alone_comes_to_the_files_of_its_model(studio: Studio, looker: Looker, tmp_path: Path) -> None:
    asks = '<userTask id="ask" name="Ask" camunda:formRef="order"/>'
    form = '{"type": "default", "id": "order", "components": [{"type": "textfield", "key": "name", "label": "%s"}]}'
    model_id = studio.engine.save_model(line("order", asks), (form % "Once").encode()).model_id
    file = tmp_path / "order.form"
    file.write_text(form % "Now")
    looker.go(f"#/model/{model_id}")
    looker.button("Replace the file…").click()
    looker.field("BPMN files").set_input_files(file)
    looker.button("Save", exact=True).click()
    expect(looker.page.get_by_role("dialog")).to_have_count(0)
    files = studio.engine.model(model_id).files
    assert len(files) == 2
    assert ["Now" in text for text in files] == [False, True]


def test_a_model_with_a_chinese_name_has_a_key(studio: Studio, somebody: Bring) -> None:
    looker = somebody(language="zh-CN")
    page = looker.page
    looker.go("#/models")
    looker.button("新建模型").click()
    looker.field("名称", exact=True).fill("聚会")
    expect(looker.field("流程标识")).to_have_value(re.compile(r"process-\d{14}"))
    page.keyboard.press("Enter")
    expect(page.locator(".designer-canvas[data-ready]")).to_be_visible()
    page.locator(".stone-card", has_text="邮件").click()
    for name in ("收件人", "主题"):
        page.locator(".designer-panel").get_by_label(name).fill("ann@example.org")
    looker.button("部署").click()
    expect(page.get_by_role("main").get_by_role("link", name="启动")).to_be_visible()
    looker.keep("designer-deployed-zh")
    assert looker.barriers() == []


def places(page: Page, css: str) -> dict[str, tuple[float, float]]:
    """Where marks or shapes stand in the diagram, by their elements."""
    script = """nodes => nodes.map((node) => node.dataset.containerId
        ? [node.dataset.containerId, parseFloat(node.style.left), parseFloat(node.style.top)]
        : [node.dataset.elementId, ...node.getAttribute("transform").match(/[-\\d.]+/g).slice(4).map(Number)])"""
    found = page.locator(f".designer-canvas {css}").evaluate_all(script)
    return {name: (x, y) for name, x, y in found}


def test_a_stone_is_put_between_an_element_and_what_it_leads_to(studio: Studio, looker: Looker) -> None:
    """Once it stood beside what came next, as a second way; and marks stayed where moved elements had been."""
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = opened(looker, model_id)
    mail = page.locator(".stone-card", has_text="Mail")
    expect(page.locator(".designer-canvas .mark")).to_have_count(1)
    before = places(page, ".djs-shape")

    def leads(first: str, second: str) -> bool:
        drawn = kept(studio.engine, model_id).files[0]
        return re.search(rf'sourceRef="{first}" targetRef="{second}"', drawn) is not None

    choose(page, "first")
    mail.click()
    looker.sees("draft kept")
    assert leads("first", "mail")
    assert leads("mail", "second")
    assert not leads("first", "second")
    after = places(page, ".djs-shape")
    assert before["first"][0] + 100 < after["mail"][0] < after["second"][0] - 100
    marks = places(page, ".djs-overlays:has(.mark)")
    assert marks
    assert all(after[name] == place for name, place in marks.items())

    page.keyboard.press("Control+z")
    expect(page.locator('.designer-canvas .djs-shape[data-element-id="mail"]')).to_have_count(0)
    assert places(page, ".djs-shape") == before
    looker.sees("draft kept")
    assert leads("first", "second")


def test_what_is_dropped_on_a_flow_has_room_and_goes_with_the_next_undo(studio: Studio, looker: Looker) -> None:
    model_id = studio.engine.save_model(VOLUMES).model_id
    page = opened(looker, model_id)
    shapes = page.locator(".designer-canvas .djs-shape")
    count = shapes.count()
    looker.page.locator(".stone-card", has_text="Mail").hover()
    page.mouse.down()
    page.mouse.move(700, 250, steps=15)
    line = page.locator('.designer-canvas .djs-connection[data-element-id="first_second"]').bounding_box()
    assert line is not None
    page.mouse.move(line["x"] + line["width"] / 2, line["y"] + line["height"] / 2, steps=15)
    page.mouse.up()
    expect(shapes).to_have_count(count + 1)
    drawn = places(page, ".djs-shape")
    assert drawn["first"][0] + 100 < drawn["mail"][0] < drawn["second"][0] - 100
    page.keyboard.press("Control+z")
    expect(shapes).to_have_count(count)


def test_on_a_phone_the_palette_is_seen_whole_and_covers_nothing(studio: Studio, somebody: Bring) -> None:
    looker = somebody(width=390, height=844)
    page = opened(looker, studio.engine.save_model(VOLUMES).model_id)
    palette = page.locator(".djs-palette").bounding_box()
    assert palette is not None
    for entry in page.locator(".djs-palette .entry").all():
        expect(entry).to_be_in_viewport(ratio=1)
    for shape in page.locator(".designer-canvas .djs-shape .djs-visual").all():
        box = shape.bounding_box()
        assert box is not None
        assert box["y"] > palette["y"] + palette["height"]
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    page.locator('.djs-palette [data-action="create.task"]').tap()
    page.touchscreen.tap(200, palette["y"] + palette["height"] + 60)
    expect(page.locator(".designer-panel-head .sub")).to_have_text("Task")
    looker.keep("designer-phone", whole=True)
    assert looker.barriers() == []
    assert looker.overflow <= 0
