"""Values that somebody fills in one by one: what nobody edits is sent as it was, or not at all."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, expect

from riverstone.engine import Stone, TaskInfo
from tests.features.sketch import line, service

from .conftest import Studio
from .looking import Looker

TEMPLATE = [
    {"Key": "password", "NameSpace": "db", "Type": "String", "NoEcho": True},
    {"Key": "user", "NameSpace": "db", "Type": "String"},
]
DB = {"db": {"password": "hunter22", "user": "u"}}
SHOWN = {"db": {"password": "*****", "user": "u"}}
START: dict[str, Any] = {
    **DB,
    "url": "db://u:hunter22@h",
    "script": "line 1\nline 2",
    "windows": "a\r\nb",
    "order": {"id": 9007199254740993, "price": 1.0, "count": 1},
    "size": 12345678901234567890,
    "flag": True,
}


class Letter(Stone):
    """Never gets there, so that somebody has to send it."""

    code = "letter"
    outputs = {"text": "what it says", "size": "its size", "seal": "under which the post knows it"}
    secret_outputs = frozenset({"seal"})

    def start(self, task: TaskInfo) -> None:
        raise RuntimeError("no stamp")


def waiting(studio: Studio, variables: dict[str, Any]) -> str:
    """A process in which something has failed, and waits for somebody."""
    studio.engine.register(Letter)
    studio.engine.deploy(line("p", service("s", "letter")), parameter_template=TEMPLATE)
    number = studio.engine.start(key="p", name="x", variables=variables, on_failure="pause").process_instance_id
    studio.engine.wait(number, 60)
    return number


def asked(looker: Looker, number: str) -> Locator:
    """The dialog that asks for the variables of a process."""
    looker.go(f"#/process/{number}")
    looker.button("Set variables…").click()
    return looker.page.get_by_role("dialog")


def edit(field: Locator, old: str, new: str) -> None:
    text = field.input_value()
    assert old in text
    field.fill(text.replace(old, new))


def test_only_what_was_edited_is_changed_and_only_there(studio: Studio, looker: Looker) -> None:
    number = waiting(studio, START)
    dialog = asked(looker, number)
    # Of a text that holds a secret nothing is filled in: with the mask it would take the secret's place.
    expect(dialog.get_by_label("url", exact=True)).to_have_value("")
    # Of an object the other members can be changed.
    dialog.get_by_text("***** stands for a secret.").wait_for()
    edit(dialog.get_by_label("db", exact=True), '"u"', '"new"')
    edit(dialog.get_by_label("script", exact=True), "line 2", "line 3")
    edit(dialog.get_by_label("windows", exact=True), "b", "c")
    edit(dialog.get_by_label("order", exact=True), '"count": 1', '"count": 2')
    looker.keep("set-values")
    assert looker.barriers() == []
    # There and back, which changes nothing.
    looker.button("As JSON").click()
    looker.button("As fields").click()
    looker.button("Set", exact=True).click()
    looker.sees("Accepted: Set variables")

    now = studio.engine.variables(number)
    assert now["db"] == {"password": "*****", "user": "new"}
    (row,) = studio.engine._store.read("SELECT `variables` FROM `content`")
    assert json.loads(row[0])["db"] == {"password": "hunter22", "user": "new"}
    assert (now["script"], now["windows"]) == ("line 1\nline 3", "a\r\nc")
    assert json.dumps(now["order"]) == '{"id": 9007199254740993, "price": 1.0, "count": 2}'
    assert (now["size"], now["flag"]) == (START["size"], True)


def test_what_is_emptied_is_said_to_have_no_value(studio: Studio, looker: Looker) -> None:
    number = waiting(studio, {**DB, "size": 5, "flag": True, "list": [1], "note": "x"})
    dialog = asked(looker, number)
    for name, kind in (("size", "Number"), ("list", "JSON")):
        field = dialog.get_by_label(name, exact=True)
        before = field.input_value()
        field.fill("")
        looker.button("Set", exact=True).click()
        looker.sees("Give it a value, or write null as JSON.")
        expect(dialog.get_by_label(f"Kind of value of {name}")).to_have_value(kind.lower())
        field.fill(before)
    dialog.get_by_label("flag", exact=True).select_option("")
    looker.button("Set", exact=True).click()
    looker.sees("Give it a value, or write null as JSON.")
    dialog.get_by_label("flag", exact=True).select_option("false")
    # The same number as a text is another value, and so is a text that is empty.
    dialog.get_by_label("Kind of value of size").select_option("Text")
    dialog.get_by_label("note", exact=True).fill("")
    looker.button("Add a value").click()
    dialog.get_by_label("Name", exact=True).fill("empty")
    looker.button("Set", exact=True).click()
    looker.sees("Accepted: Set variables")
    assert studio.engine.variables(number) == {
        **SHOWN,
        "size": "5",
        "flag": False,
        "list": [1],
        "note": "",
        "empty": "",
    }


def test_values_written_as_json_stay_as_they_are_in_fields(studio: Studio, looker: Looker) -> None:
    number = waiting(studio, START)
    looker.go(f"#/process/{number}")
    looker.button("Done by hand…").first.click()
    looker.button("As JSON").click()
    made = {"text": "a\nb", "size": 9007199254740993, "seal": "-----BEGIN-----\nkey\n-----END-----\n"}
    looker.field("Outputs").fill(json.dumps(made))
    looker.button("As fields").click()
    expect(looker.field("text", exact=True)).to_have_value("a\nb")
    looker.button("Enter it").click()
    looker.sees_status("Succeeded")
    (task,) = studio.engine.tasks(number)
    assert task.outputs == {**made, "seal": "*****"}
    assert studio.engine.secret_outputs(task.task_id) == {"seal": made["seal"]}


def test_line_breaks_that_are_pasted_stay(studio: Studio, looker: Looker) -> None:
    number = waiting(studio, {**DB, "note": "x"})
    dialog = asked(looker, number)
    dialog.get_by_label("note", exact=True).focus()
    looker.page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.setData("text/plain", "a\\nb");
            const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
            document.activeElement.select();
            document.activeElement.dispatchEvent(event);
        }"""
    )
    expect(dialog.get_by_label("note", exact=True)).to_have_value("a\nb")
    looker.button("Set", exact=True).click()
    looker.sees("Accepted: Set variables")
    assert studio.engine.variables(number) == {**SHOWN, "note": "a\nb"}


def test_secrets_are_left_out_where_a_process_is_started_once_more(studio: Studio, looker: Looker) -> None:
    number = waiting(studio, {**START, "note": "n"})
    looker.go(f"#/start?from={number}")
    looker.sees("These hold secrets, which are not shown, and are left out: db.password, url.")
    expect(looker.field("user")).to_have_value("u")
    others = json.loads(looker.field("Further variables as JSON").input_value())
    assert "url" not in others
    assert others["note"] == "n"


def test_numbers_are_shown_and_started_once_more_as_they_were_written(studio: Studio, looker: Looker) -> None:
    """Whatever JavaScript makes of them: in fields of a form, of a template and as JSON."""
    ask = '<camunda:formData><camunda:formField id="form" type="long"/></camunda:formData>'
    template = [{"Key": "size", "Type": "Integer"}, {"Key": "order", "Type": "Map"}]
    start = f"<extensionElements>{ask}</extensionElements>"
    studio.engine.deploy(line("n", '<userTask id="u"/>', start=start), parameter_template=template)
    variables = {name: START[name] for name in ("size", "order")} | {"form": 9007199254740993}
    variables["deep"] = [{"x": 18446744073709551617}]
    before = studio.engine.start(key="n", name="x", variables=variables)
    looker.go(f"#/process/{before.process_instance_id}")
    looker.page.locator("summary", has_text="Variables now").click()
    for number in ("12345678901234567890", "18446744073709551617", '"price": 1.0'):
        looker.sees(number)
    looker.link("Start again").click()
    looker.field("Name of the run").fill("again")
    expect(looker.field("size")).to_have_value("12345678901234567890")
    expect(looker.field("form", exact=True)).to_have_value("9007199254740993")
    looker.page.locator("button[type=submit]").click()
    looker.sees_status("Waits for a person: u")
    (again, _) = studio.engine.instances(key="n").items
    known = studio.engine.variables(again.process_instance_id)
    assert again.process_name == "again"
    assert json.dumps(known, sort_keys=True) == json.dumps(variables, sort_keys=True)


def test_a_number_that_is_written_otherwise_than_in_json_is_not_rounded(studio: Studio, looker: Looker) -> None:
    studio.engine.deploy(line("n", '<userTask id="u"/>'), parameter_template=[{"Key": "size", "Type": "Integer"}])
    looker.go("#/start?key=n")
    looker.field("Name of the run").fill("zero")
    looker.field("size").fill("012345678901234567890")
    looker.page.locator("button[type=submit]").click()
    looker.sees_status("Waits for a person: u")
    (begun,) = studio.engine.instances(key="n").items
    assert studio.engine.variables(begun.process_instance_id) == {"size": 12345678901234567890}
