"""What exists, in the console: found, checked, grouped where it is not as it was made, accepted, and exported."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from playwright.sync_api import expect

from riverstone.engine import NotFound, Stone, TaskInfo

from ..features.sketch import line, service
from .conftest import Studio
from .looking import Looker

Bring = Callable[..., Looker]


class Disk(Stone):
    """A disk that somebody may resize, or throw away."""

    code = "Shop::Disk"
    outputs: ClassVar = {"diskId": "the disk's id"}
    sizes: ClassVar[dict[str, int]] = {}

    def start(self, task: TaskInfo) -> None:
        disk = f"disk-{task.process_instance_id}-{task.namespace}"
        self.sizes[disk] = 10
        task.add_output("diskId", disk)

    def check(self, task: TaskInfo) -> str | None:
        size = self.sizes.get(task.outputs["diskId"])
        if size is None:
            raise NotFound("The disk is not there.")
        return None if size == 10 else f"The size is {size}, not 10."


@pytest.fixture
def disks(studio: Studio) -> list[str]:
    """Two processes with two disks each; one disk of the second has gone, and one was resized."""
    Disk.sizes.clear()
    studio.engine.register(Disk)
    studio.engine.deploy(line("shop", service("a", Disk.code), service("b", Disk.code)))
    ids = []
    for owner in ("ann", "bob"):
        started = studio.engine.start(key="shop", name=f"Shop of {owner}", variables={}, owner=owner)
        ids.append(studio.engine.wait(started.process_instance_id, 60).process_instance_id)
    del Disk.sizes[f"disk-{ids[1]}-a"]
    Disk.sizes[f"disk-{ids[1]}-b"] = 20
    return ids


def test_an_operator_finds_what_is_gone_and_accepts_it(studio: Studio, looker: Looker, disks: list[str]) -> None:
    page = looker.page
    looker.go()
    looker.link("What exists").click()
    expect(page.locator(".resources tbody tr")).to_have_count(4)
    looker.sees(f"disk-{disks[0]}-a")
    page.get_by_role("searchbox").fill(f"DISK-{disks[0]}")
    expect(page.locator(".resources tbody tr")).to_have_count(2)
    page.get_by_role("searchbox").fill("")
    looker.field("Owner", exact=True).fill("bob")
    looker.field("Owner", exact=True).press("Enter")
    expect(page.locator(".resources tbody tr")).to_have_count(2)
    looker.field("Owner", exact=True).fill("")
    looker.field("Owner", exact=True).press("Enter")
    expect(page.locator(".resources tbody tr")).to_have_count(4)
    looker.field("Process", exact=True).fill(disks[1])
    looker.field("Process", exact=True).press("Enter")
    expect(page).to_have_url(re.compile(f"process={disks[1]}"))
    # What is open closes with the page that it was opened from.
    expect(page.locator(".resources tbody tr")).to_have_count(2)
    looker.button("Check now").click()
    page.get_by_role("dialog").get_by_role("button", name="Check now").click()
    looker.sees("The size is 20, not 10.")
    drift = page.get_by_role("region", name="Not as it was made")
    expect(drift.locator("tbody tr")).to_have_text(f"Shop of bob #{disks[1]}Shop::Disk11Accept what is gone…")
    looker.keep("resources", whole=True)
    assert looker.barriers() == []
    looker.button("gone 1").click()
    expect(page.locator(".resources tbody tr")).to_have_count(1)
    looker.button("Accept…", exact=True).click()
    looker.sees("No undo will call its stone any more.")
    assert looker.barriers() == []
    looker.button("Take it for undone").click()
    looker.sees("Nothing is like that.")
    assert [each.state for each in studio.engine.resources(process_instance_id=disks[1]).items] == ["different"]


@pytest.mark.parametrize("filtered", ["owner=ann", "state=kept", "text=disk"])
def test_no_more_is_checked_than_what_is_seen(looker: Looker, disks: list[str], filtered: str) -> None:
    looker.go(f"#/resources?key=shop&{filtered}")
    looker.button("Check now").click()
    looker.sees("clear the text, the state and the owner first")
    expect(looker.page.get_by_role("dialog")).to_have_count(0)


def test_all_processes_are_checked_by_a_batch(looker: Looker, disks: list[str]) -> None:
    looker.go("#/resources?key=shop")
    looker.button("Check now").click()
    looker.page.get_by_role("dialog").get_by_role("button", name="Check now").click()
    looker.sees("Check what exists")
    looker.sees("2/2")
    looker.go("#/resources?state=different")
    looker.sees("The size is 20, not 10.")


def test_what_exists_is_saved_as_a_file(looker: Looker, disks: list[str], tmp_path: Path) -> None:
    looker.go("#/resources?owner=ann")
    expect(looker.page.locator(".resources tbody tr")).to_have_count(2)
    files = {}
    for kind in ("CSV", "JSON"):
        with looker.page.expect_download() as saved:
            looker.button(kind).click()
        saved.value.save_as(tmp_path / kind)
        files[kind] = (tmp_path / kind).read_text("utf-8-sig")
    rows = list(csv.DictReader(StringIO(files["CSV"])))
    assert [row["owner"] for row in rows] == ["ann", "ann"]
    assert [each["taskId"] for each in json.loads(files["JSON"])] == [row["taskId"] for row in rows]


def test_schedules_are_added_and_removed(studio: Studio, looker: Looker, disks: list[str]) -> None:
    looker.go("#/resources")
    looker.sees("Nothing is checked by itself.")
    looker.button("Add a schedule").click()
    looker.field("How often").fill("soon")
    looker.button("Add", exact=True).click()
    expect(looker.page.get_by_role("alert")).to_be_visible()
    assert looker.barriers() == []
    looker.field("How often").fill("PT6H")
    looker.page.get_by_role("dialog").get_by_label("Process key").fill("shop")
    looker.button("Add", exact=True).click()
    looker.sees("PT6H")
    assert [(each.key, each.rate) for each in studio.engine.check_schedules()] == [("shop", 5.0)]
    looker.button("Pause").click()
    looker.sees("paused")
    assert [each.paused for each in studio.engine.check_schedules()] == [True]
    assert looker.barriers() == []
    looker.button("Let it go on").click()
    expect(looker.button("Pause")).to_be_visible()
    assert [each.paused for each in studio.engine.check_schedules()] == [False]
    looker.button("Remove").click()
    looker.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    looker.sees("Nothing is checked by itself.")
    assert studio.engine.check_schedules() == ()


def test_who_may_only_read_sees_no_button_that_refuses(studio: Studio, looker: Looker, disks: list[str]) -> None:
    studio.engine.check(disks[1])
    studio.engine.schedule_checks("PT6H")
    studio.engine.keys.add("admin", scopes=["admin"])
    text = studio.engine.keys.add("reader", scopes=["read"], every_owner=True)[1]
    looker.go("#/resources")
    looker.page.get_by_role("textbox", name="Key").fill(text)
    looker.button("Use this key").click()
    looker.sees("The size is 20, not 10.")
    looker.sees("PT6H")
    for name in ("Check now", "Accept…", "Accept what is gone…", "Add a schedule", "Remove"):
        expect(looker.button(name)).to_have_count(0)
    expect(looker.button("CSV")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("phone", {"width": 390, "height": 844}),
        ("dark", {"colours": "dark"}),
        ("chinese", {"language": "zh-CN"}),
    ],
)
def test_what_exists_looks_well_for_everybody(
    studio: Studio, somebody: Bring, disks: list[str], name: str, options: dict[str, Any]
) -> None:
    for number in disks:
        studio.engine.check(number)
    studio.engine.schedule_checks("0 3 * * *", stone=Disk.code)
    looker = somebody(**options)
    looker.go("#/resources")
    looker.sees("The size is 20, not 10.")
    looker.sees("0 3 * * *")
    looker.keep(f"{name}-resources", whole=True)
    assert looker.barriers() == []
    assert looker.overflow <= 0
