"""What people do in the console, from the first file to the last undo."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from riverstone.bpmn_samples import path
from riverstone.engine import Stone, TaskInfo

from ..faults.yard import until
from .conftest import Studio
from .looking import Looker

TEMPLATE: list[dict[str, Any]] = [
    {"Key": "regionId", "DisplayName": "Region", "AllowedValues": ["bcc", "beijin"], "DefaultValue": "bcc"},
    {"Key": "backup", "DisplayName": "Backup", "DefaultValue": "Ref:regionId"},
    {"Key": "projectId", "DisplayName": "Project", "AllowedPattern": "[0-9]+", "ConstraintDescription": "Digits only."},
    {"Key": "password", "DisplayName": "Password", "NoEcho": True, "MinLength": 6, "Description": "Of the server."},
    {"Key": "diskNeeded", "NameSpace": "installMysql", "Type": "Integer", "MinValue": 1, "DefaultValue": 1},
]
BROKEN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x">'
    '<process id="p" isExecutable="true"><startEvent id="s"/>'
    '<sequenceFlow id="f" sourceRef="s" targetRef="nowhere"/></process></definitions>'
)
LETTER = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><process id="letter" isExecutable="true">'
    '<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="post"/><endEvent id="e"/>'
    '<serviceTask id="post" name="Post it" camunda:type="external" camunda:topic="letter"/>'
    '<sequenceFlow id="g" sourceRef="post" targetRef="e"/></process></definitions>'
)


class Letter(Stone):
    """Fails, and has nothing by which it could be undone."""

    code = "letter"
    outputs = {"number": "under which the post knows it", "pin": "to ask for it"}
    secret_outputs = frozenset({"pin"})

    def start(self, task: TaskInfo) -> None:
        raise ValueError("no stamp")


def test_somebody_draws_a_model_and_deploys_it(studio: Studio, looker: Looker) -> None:
    page = looker.page
    looker.go("#/models")
    looker.button("New model").click()
    looker.field("Name").fill("Order a volume")
    expect(page.get_by_label("Key")).to_have_value("order-a-volume")
    looker.button("Draw").click()
    expect(page.locator('.designer-canvas .djs-element[data-element-id="start"]')).to_be_visible()
    page.locator('.designer-canvas .djs-element[data-element-id="start"]').click()
    page.locator(".stone-card", has_text="Volume").first.click()
    expect(page.locator(".designer-canvas .djs-shape")).to_have_count(2)
    looker.sees("When it fails for good")
    looker.field("When it fails for good").select_option("pause")
    looker.keep("designer", whole=True)
    looker.button("Save").click()
    looker.sees("Order a volume is saved.")
    looker.button("Deploy").click()
    looker.sees("is deployed as version 1")
    (deployment,) = studio.engine.deployments(key="order-a-volume").items
    text = studio.engine.deployment(deployment.deployment_id).files[0]
    assert 'name="onFailure" value="pause"' in text
    assert studio.engine.bindings(text.encode())[0].code == "SIP::EC2::Volume"
    page.reload()
    expect(page.locator(".designer-canvas .djs-shape")).to_have_count(2)


def test_a_failure_waits_for_somebody_who_skips_it(studio: Studio, looker: Looker) -> None:
    studio.engine.register(Letter)
    studio.engine.deploy(LETTER.encode())
    started = studio.engine.start(key="letter", name="to the bank", on_failure="pause", variables={"bank": "Bonn"})
    studio.engine.wait(started.process_instance_id, 60)

    looker.go(f"#/process/{started.process_instance_id}")
    looker.sees("waits for a decision")
    looker.sees("no stamp")
    looker.keep("needs-attention", whole=True)
    looker.button("Set variables…").click()
    looker.field("bank", exact=True).fill("Berlin")
    looker.button("Add a value").click()
    looker.field("Name", exact=True).fill("bank")
    looker.field("Value", exact=True).fill("x")
    looker.button("Set", exact=True).click()
    looker.sees("Another value has this name.")
    looker.field("Name", exact=True).fill("stamp")
    looker.field("Kind of value", exact=True).select_option("Number")
    looker.field("Value", exact=True).fill("1")
    looker.keep("set-variables")
    assert looker.barriers() == []
    looker.button("Set", exact=True).click()
    looker.sees("Accepted: Set variables")
    assert studio.engine.variables(started.process_instance_id) == {"bank": "Berlin", "stamp": 1}
    looker.button("Done by hand…").first.click()
    looker.sees("It counts as made and is undone like any other.")
    looker.button("Back", exact=True).click()
    looker.button("Skip…").first.click()
    looker.sees("The process goes on at: e")
    looker.button("Skip it").click()
    looker.sees_status("Succeeded")
    assert studio.engine.get(started.process_instance_id).status == "success"


def test_an_open_dialog_decides_about_no_later_attempt(studio: Studio, looker: Looker) -> None:
    studio.engine.register(Letter)
    studio.engine.deploy(LETTER.encode())
    number = studio.engine.start(key="letter", name="to the bank", on_failure="pause").process_instance_id
    studio.engine.wait(number, 60)
    looker.go(f"#/process/{number}")
    looker.button("Done by hand…").first.click()
    looker.field("number", exact=True).fill("17")
    (task,) = studio.engine.tasks(number)
    studio.engine.rerun(task.task_id)
    until(lambda: (studio.engine.task(task.task_id).attempt, studio.engine.get(number).attention) == (2, 1))
    looker.button("Enter it").click()
    looker.sees("is number 2, not 1: look at it, then decide.")
    assert studio.engine.task(task.task_id).outputs in (None, {})
    looker.button("Back", exact=True).click()
    looker.sees("attempt 2")
    looker.button("Done by hand…").first.click()
    looker.field("number", exact=True).fill("18")
    looker.button("Enter it").click()
    looker.sees_status("Succeeded")
    assert studio.engine.task(task.task_id).outputs == {"number": "18"}


def test_what_was_done_by_hand_is_entered_output_by_output(studio: Studio, looker: Looker) -> None:
    studio.engine.register(Letter)
    studio.engine.deploy(LETTER.encode())
    started = studio.engine.start(key="letter", name="to the bank", on_failure="pause")
    studio.engine.wait(started.process_instance_id, 60)
    looker.go(f"#/process/{started.process_instance_id}")
    looker.button("Done by hand…").first.click()
    looker.sees("under which the post knows it")
    looker.field("number", exact=True).fill("17")
    expect(looker.field("pin", exact=True)).to_have_attribute("type", "password")
    looker.button("As JSON").click()
    expect(looker.field("Outputs")).to_have_value('{\n  "number": "17"\n}')
    looker.button("As fields").click()
    expect(looker.field("number", exact=True)).to_have_value("17")
    looker.keep("hand")
    assert looker.barriers() == []
    looker.button("Enter it").click()
    looker.sees_status("Succeeded")
    (task,) = studio.engine.tasks(started.process_instance_id)
    assert task.outputs == {"number": "17"}


def test_somebody_goes_back_to_an_earlier_task(studio: Studio, looker: Looker) -> None:
    made: list[str] = []

    class Page(Stone):
        """Prints a page, and can throw it away."""

        code = "letter"

        def start(self, task: TaskInfo) -> None:
            made.append(task.task_id)

        def rollback(self, task: TaskInfo) -> None:
            made.append("thrown away")

    studio.engine.register(Page)
    person = '<userTask id="e" name="Read it"/>'
    studio.engine.deploy(LETTER.replace('<endEvent id="e"/>', person).encode())
    started = studio.engine.start(key="letter", name="to the bank")
    looker.go(f"#/process/{started.process_instance_id}")
    looker.sees("Read it")
    looker.page.locator(".tasklist .opener").first.click()
    looker.button("Go back to here…").click()
    looker.sees("What came after it is rolled back")
    looker.field("Begin again on version").select_option(index=1)
    looker.sees("Nothing stands against it.")
    looker.keep("rewind", whole=True)
    looker.button("Go back", exact=True).click()
    looker.sees("Accepted: Go back to here")
    expect(looker.page.locator(".panel")).to_have_count(2)
    expect(looker.page.locator(".panel h2").nth(1)).to_contain_text("Rewind")
    assert [each for each in made if each == "thrown away"] == ["thrown away"]


def test_somebody_suspends_a_process_and_lets_it_go_on(studio: Studio, looker: Looker) -> None:
    @studio.engine.stone("letter")
    def letter(task: TaskInfo) -> None:
        """Prints a letter."""

    person = '<userTask id="e" name="Read it"/>'
    studio.engine.deploy(LETTER.replace('<endEvent id="e"/>', person).encode())
    started = studio.engine.start(key="letter", name="to the bank")
    looker.go(f"#/process/{started.process_instance_id}")
    looker.button("Suspend…").click()
    looker.field("Reason").fill("The printer is away.")
    looker.button("Suspend it").click()
    looker.sees_status("Suspended")
    looker.sees("The printer is away.")
    looker.keep("suspended", whole=True)
    looker.button("Let it go on").click()
    looker.sees_status("Waits for a person: Read it")
    assert studio.engine.get(started.process_instance_id).suspended is None


def test_a_model_is_authored_run_mended_and_taken_back(studio: Studio, looker: Looker, tmp_path: Path) -> None:
    page = looker.page
    broken = tmp_path / "broken.bpmn"
    broken.write_text(BROKEN)

    looker.go()
    looker.sees("No process was started yet")
    looker.keep("first-visit")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Models").click()
    looker.button("Upload…").click()
    looker.field("BPMN files").set_input_files(broken)
    looker.button("Upload", exact=True).click()
    looker.sees("It has errors, so it is kept as a draft")
    looker.button("Discard draft").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard draft").click()
    looker.button("Upload…").click()
    looker.field("BPMN files").set_input_files(path("app_server"))
    page.get_by_text("Templates").click()
    looker.field("Parameter template").fill(json.dumps(TEMPLATE))
    looker.button("Upload", exact=True).click()

    expect(page.get_by_role("heading", name="Application server")).to_be_visible()
    looker.sees("The checks have found nothing.")
    looker.button("Deploy").click()
    looker.sees("is deployed as version 1")
    expect(looker.element("installMysql")).to_be_visible()
    looker.keep("model", whole=True)

    looker.link("Trial run").click()
    looker.field("Name of the run").fill("shop")
    looker.field("Region").select_option("beijin")
    expect(looker.field("Backup")).to_have_attribute("placeholder", "beijin")
    looker.field("Project").fill("none")
    looker.field("Password").fill("s3cret!")
    looker.field("diskNeeded").fill("900")
    looker.button("Start the process").click()
    looker.sees("Digits only.")
    looker.keep("start-form", whole=True)
    looker.field("Project").fill("11111")
    looker.button("Start the process").click()

    looker.sees_status("Paused")
    expect(looker.element("installMysql")).to_have_class("djs-element djs-shape is-failed")
    looker.keep("paused")
    looker.button("Run again…").first.click()
    looker.sees("Attempt 2 begins.")
    expect(page.get_by_role("dialog").locator("textarea")).to_have_count(0)
    looker.field("diskNeeded").fill("two")
    looker.sees("Must be a number.")
    looker.field("diskNeeded").fill("2")
    looker.sees("Attempt 2 begins.")
    looker.keep("rerun")
    looker.button("Run again", exact=True).click()
    looker.sees_status("Succeeded")
    page.get_by_text("Variables now").click()
    expect(page.locator("details[open]", has_text="Variables now")).to_contain_text("*****")
    expect(page.locator("main")).not_to_contain_text("s3cret!")

    looker.button("Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".rounds > li")).to_have_count(7)
    expect(dialog.locator(".rounds > li").first).to_contain_text("Install Tomcat")
    looker.keep("delete-preview")
    assert studio.cloud.list("servers") != []
    looker.button("Delete the results").click()
    looker.sees_status("Deleted")
    expect(page.get_by_role("heading", name="Delete", exact=True)).to_be_visible()
    expect(page.locator(".panel").nth(1).locator(".djs-element.is-success")).to_have_count(8)
    assert studio.cloud.list("servers") == []

    page.locator(".panel").nth(1).get_by_role("button", name="Create the server").hover()
    expect(looker.element("javaAppServer")).to_have_class("djs-element djs-shape is-undone is-pointed")
    looker.keep("deleted", whole=True)
    page.locator(".panel").nth(1).get_by_role("link").first.click()
    looker.sees("Undoes")
    looker.keep("undo-alone")
    page.locator(".facts").get_by_role("link").click()
    looker.sees_status("Deleted")


def test_a_run_that_waits_is_told_of_and_cancelled(studio: Studio, looker: Looker) -> None:
    page = looker.page
    studio.engine.deploy(path("message"))
    started = studio.engine.start(key="message", name="waits", variables={})

    looker.go("#/processes?text=wai")
    looker.link("waits").click()
    looker.sees("waits for the message “payment-received”.")
    expect(page.locator(".djs-element.is-waiting")).to_have_count(1)
    looker.button("Cancel…", exact=True).click()
    expect(page.get_by_role("dialog").locator(".rounds > li")).to_have_count(1)
    looker.button("Cancel the process").click()
    looker.sees_status("Cancelled")
    studio.engine.wait(started.process_instance_id, timeout=60)

    second = studio.engine.start(key="message", name="hears", variables={})
    looker.go(f"#/process/{second.process_instance_id}")
    looker.link("Send").click()
    expect(looker.field("Name of the message")).to_have_value("payment-received")
    page.get_by_role("region", name="Message").or_(page.locator(".panel").first).get_by_role(
        "button", name="Send"
    ).click()
    looker.sees("hears has taken the message.")
    looker.keep("messages")


def test_a_person_completes_a_task_and_a_failed_undo_goes_on(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(path("user_task"))
    studio.engine.deploy(path("app_server"))
    asking = studio.engine.start(key="user-task", name="asks", variables={})
    made = studio.engine.start(key="app-server", name="stuck", variables={"regionId": "bcc"})
    studio.engine.wait(made.process_instance_id, timeout=60)

    looker.go(f"#/process/{asking.process_instance_id}")
    expect(looker.page.locator(".djs-element.is-person")).to_have_count(1)
    looker.page.locator(".opener").last.click()
    looker.link("Open the task").click()
    looker.field("Yes").check()
    looker.button("Complete").click()
    looker.sees("is done.")
    looker.go(f"#/process/{asking.process_instance_id}")
    expect(looker.page.locator(".djs-element.is-success").first).to_be_visible()
    expect(looker.page.locator(".djs-element.is-person")).to_have_count(0)

    server = next(thing["id"] for thing in studio.cloud.list("servers") if thing["name"] == "javaAppServer")
    extra = studio.cloud.create("volumes", "by hand", server=server, size=1, name="by hand")
    studio.engine.delete(made.process_instance_id)
    studio.engine.wait(made.process_instance_id, timeout=60)
    looker.go(f"#/process/{made.process_instance_id}")
    looker.sees_status("Delete failed")
    looker.sees("failed, at attempt 1")
    looker.keep("undo-failed", whole=True)
    studio.cloud.delete("volumes", extra["id"])
    looker.button("Retry undo…").click()
    looker.sees("What is given up is never undone")
    looker.keep("retry")
    looker.button("Go on").click()
    looker.sees_status("Deleted")


def test_what_needs_somebody_is_found_by_its_tab(studio: Studio, looker: Looker) -> None:
    studio.engine.register(Letter)
    studio.engine.deploy(LETTER.encode())
    studio.engine.deploy(path("message"))
    studio.engine.deploy(path("user_task"))
    lost = studio.engine.start(key="letter", name="lost", variables={})
    studio.engine.start(key="message", name="hears", variables={})
    asks = studio.engine.start(key="user-task", name="asks", variables={})
    trial = studio.engine.start(model_id=studio.engine.models(key="letter").items[0].model_id, name="trial")
    for each in (lost, trial):
        studio.engine.wait(each.process_instance_id, timeout=60)

    looker.go()
    tabs, rows = looker.page.locator(".tabs"), looker.page.locator(".processes tbody tr")
    for tab, name, word in (
        ("Needs attention 1", "trial", "Paused"),
        ("Waits for a person 1", "asks", "Waits for a person: Approve the order"),
        ("Waits for an event 1", "hears", "Waits for message payment-received"),
        ("Failed 1", "lost", "Failed, rolled back"),
    ):
        tabs.get_by_role("button", name=tab).click()
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text(name)
        expect(rows.locator(".badge")).to_contain_text(word)
    looker.keep("states")
    assert looker.barriers() == []
    tabs.get_by_role("button", name="All").click()
    expect(rows).to_have_count(4)
    looker.page.get_by_text("More filters").click()
    looker.field("Stands at element").fill("approve")
    looker.field("Stands at element").press("Enter")
    looker.field("Order").select_option("started")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("asks")
    looker.keep("more-filters")
    looker.field("Stands at element").fill("")
    looker.field("Stands at element").press("Enter")
    looker.field("Error text").fill("NO STAMP")
    looker.field("Error text").press("Enter")
    looker.field("Order").select_option("id")
    expect(rows).to_have_count(2)
    looker.field("Variable").fill("no value")
    looker.field("Variable").press("Enter")
    looker.sees("variable")
    looker.go(f"#/process/{asks.process_instance_id}")
    looker.sees_status("Waits for a person: Approve the order")
    looker.page.get_by_text("History", exact=True).click()
    story = looker.page.locator("table.history > tbody > tr")
    expect(story).to_have_count(4)
    expect(story.first).to_contain_text("Started")
    expect(story.last).to_contain_text("Task begins Approve the order")
    looker.keep("history", whole=True)
    assert looker.barriers() == []


def test_a_called_process_is_looked_into(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(path("call_activity"), path("attach_volume"))
    started = studio.engine.start(key="call-activity", name="calls", variables={"dataDisk": 5, "regionId": "bcc"})
    studio.engine.wait(started.process_instance_id, timeout=60)

    looker.go(f"#/process/{started.process_instance_id}")
    expect(looker.element("attach")).to_have_class("djs-element djs-shape is-success")
    looker.element("attach").click()
    looker.button("Look into attach-volume").click()
    expect(looker.element("volume")).to_have_class("djs-element djs-shape is-success")
    looker.sees("1 of 2 tasks")
    looker.keep("called")
    looker.button("call-activity").click()
    expect(looker.element("server")).to_be_visible()


def test_what_nothing_can_take_back_is_not_called_undone(studio: Studio, looker: Looker) -> None:
    studio.engine.register(Letter)
    studio.engine.deploy(LETTER.encode())
    started = studio.engine.start(key="letter", name="in vain")
    studio.engine.wait(started.process_instance_id, timeout=60)

    looker.go(f"#/process/{started.process_instance_id}")
    looker.sees_status("Failed, rolled back")
    undo = looker.page.locator(".panel").nth(1).get_by_role("row", name="Post it")
    expect(undo).to_contain_text("has no rollback")
    expect(undo.locator(".badge")).to_have_text("Retained")
    expect(looker.page.locator(".panel").nth(0).get_by_role("row", name="Post it")).not_to_contain_text("%")
    looker.keep("nothing-undone")
    # What stays was given up for good, so there is nothing that a delete could do.
    expect(looker.button("Delete…")).to_have_count(0)
    expect(looker.link("Start again")).to_be_visible()


def test_what_nobody_needs_is_removed_and_why_is_told(studio: Studio, looker: Looker) -> None:
    deployed = studio.engine.deploy(path("message"))
    started = studio.engine.start(key="message", name="waits", variables={})
    looker.go(f"#/process/{started.process_instance_id}")
    looker.button("Explain").click()
    expect(looker.page.get_by_role("dialog")).to_contain_text("payment-received")
    looker.keep("why")
    looker.page.get_by_role("dialog").get_by_role("button", name="Close").click()

    looker.go(f"#/model/{deployed.model_id}")
    looker.button("Protect from delete").click()
    looker.sees("protected", exact=True)
    looker.button("Remove…").click()
    looker.button("Remove", exact=True).click()
    expect(looker.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("protected")
    looker.button("Back").click()
    looker.button("Allow delete").click()
    expect(looker.button("Protect from delete")).to_be_visible()
    studio.engine.cancel(started.process_instance_id)
    studio.engine.wait(started.process_instance_id, timeout=60)
    studio.engine.purge(0, even_undeleted=True)
    looker.button("Remove…").click()
    looker.button("Remove", exact=True).click()
    looker.sees("There is no model yet")


def test_repeated_tasks_are_counted_and_stones_are_explained(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(path("cluster"))
    started = studio.engine.start(key="cluster", name="cluster", variables={"slaveNum": 6})
    studio.engine.wait(started.process_instance_id, timeout=60)

    looker.go(f"#/process/{started.process_instance_id}")
    expect(looker.page.locator(".mark.is-count")).to_have_text("6")
    looker.element("slave-").click()
    looker.sees("6 of 8 tasks")
    looker.keep("cluster")
    looker.page.get_by_role("navigation", name="Main").get_by_role("link", name="Stones").click()
    looker.sees("8 stones")
    looker.field("Search stones").fill("volume disk")
    looker.sees("1 stone")
    looker.keep("stones")


DISH = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="dinner" name="Dinner" namespace="urn:d">
<decision id="dish" name="Dish"><decisionTable><input><inputExpression><text>guests</text></inputExpression></input>
<output name="dish"/><rule><inputEntry><text>&lt;= 8</text></inputEntry><outputEntry><text>"Roast"</text></outputEntry>
</rule><rule><inputEntry><text>&gt; 8</text></inputEntry><outputEntry><text>"Stew"</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


DINNER = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:p"
xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><process id="evening" isExecutable="true"><startEvent id="s"/>
<businessRuleTask id="choose" name="Choose the dish" camunda:decisionRef="dish" camunda:resultVariable="r"/>
<endEvent id="e"/>
<sequenceFlow id="f" sourceRef="s" targetRef="choose"/><sequenceFlow id="g" sourceRef="choose" targetRef="e"/></process>
</definitions>"""


def test_what_a_process_decided_is_seen_in_its_table(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(DINNER.encode(), DISH.encode())
    started = studio.engine.start(key="evening", name="party", variables={"guests": 9})
    page = looker.page

    looker.go(f"#/process/{started.process_instance_id}")
    expect(looker.element("choose")).to_have_class("djs-element djs-shape is-success")
    page.get_by_text("Choose the dish · Dish").click()
    expect(page.locator(".decided tr[aria-current]")).to_have_text('2> 8"Stew"')
    expect(page.get_by_role("columnheader", name="guests 9")).to_be_visible()
    looker.keep("decided")
    assert looker.barriers() == []


def test_the_table_is_read_beside_the_task_that_will_ask_it(studio: Studio, looker: Looker) -> None:
    before = '<userTask id="ask" name="Who comes?"/><sequenceFlow id="h" sourceRef="ask" targetRef="choose"/>'
    asking = DINNER.replace('sourceRef="s" targetRef="choose"/>', f'sourceRef="s" targetRef="ask"/>{before}')
    studio.engine.deploy(DISH.encode())
    started = studio.engine.start(
        model_id=studio.engine.deploy(asking.encode()).model_id, name="party", variables={"guests": 3}
    )
    page = looker.page
    looker.go(f"#/process/{started.process_instance_id}")
    looker.element("choose").click()
    expect(page.get_by_role("row", name='2 > 8 "Stew"')).to_be_visible()
    looker.keep("decision-beside", whole=True)
    assert looker.barriers() == []
    looker.element("ask").click()
    expect(page.get_by_role("row", name='2 > 8 "Stew"')).to_be_hidden()


def test_a_decision_table_is_read_and_tried(studio: Studio, looker: Looker) -> None:
    deployment = studio.engine.deploy(DISH.encode())
    page = looker.page

    looker.go(f"#/model/{deployment.model_id}?version=1")
    looker.sees("Hit policy UNIQUE")
    expect(page.get_by_role("row", name='2 > 8 "Stew"')).to_be_visible()
    expect(looker.link("Trial run")).to_have_count(0)
    expect(looker.button("Replace the file…")).to_be_visible()
    looker.field("guests", exact=True).fill("nine")
    looker.button("Evaluate").click()
    looker.sees("Must be a number.")
    assert looker.barriers() == []
    looker.field("guests", exact=True).fill("9")
    looker.button("Evaluate").click()
    looker.sees('"Stew"')
    expect(page.locator("tr[aria-current]")).to_have_text('2> 8"Stew"')
    looker.keep("decision")
    looker.button("As JSON").click()
    expect(looker.field("Variables, as JSON")).to_have_value('{\n  "guests": 9\n}')
    looker.field("Variables, as JSON").fill("{")
    looker.button("Evaluate").click()
    looker.sees("This is not JSON")
    assert looker.barriers() == []


def test_all_that_failed_are_acted_upon_together(studio: Studio, looker: Looker) -> None:
    studio.engine.register(Letter)
    studio.engine.deploy(LETTER.encode())
    for name in ("to the bank", "to the shop"):
        number = studio.engine.start(key="letter", name=name, on_failure="pause").process_instance_id
        studio.engine.wait(number, 60)

    looker.go("#/processes?state=attention")
    looker.button("Why they failed").click()
    looker.sees("no stamp")
    looker.button("Close").click()
    looker.button("For all of these…").click()
    looker.sees("2 processes. 2 tasks are concerned.")
    looker.page.get_by_label("What is done").select_option("rollback")
    looker.button("Begin").click()
    looker.sees("Needs attention")
    looker.sees("2/2")
    looker.keep("batch", whole=True)
    looker.page.get_by_role("navigation").get_by_text("Batches").click()
    looker.sees("Roll back")
    assert studio.engine.batches().items[0].done == 2


def test_what_was_undone_and_done_anew_shows_how_it_ended(studio: Studio, looker: Looker) -> None:
    stamps: list[str] = []

    class Stamped(Stone):
        """Prints a letter, if there is a stamp."""

        code = "letter"

        def start(self, task: TaskInfo) -> None:
            if not stamps:
                raise RuntimeError("no stamp")

        def rollback(self, task: TaskInfo) -> None:
            stamps.append("bought")

    studio.engine.register(Stamped)
    studio.engine.deploy(LETTER.encode())
    started = studio.engine.start(key="letter", name="to the bank", on_failure="pause")
    studio.engine.wait(started.process_instance_id, 60)
    (task,) = studio.engine.tasks(started.process_instance_id)
    looker.go(f"#/process/{started.process_instance_id}")
    expect(looker.element(task.element_id)).to_have_class(re.compile("is-failed"))
    studio.engine.rewind(started.process_instance_id, task.task_id)
    looker.sees_status("Succeeded")
    expect(looker.element(task.element_id)).to_have_class(re.compile("is-success"))
    expect(looker.element(task.element_id)).not_to_have_class(re.compile("is-failed"))
