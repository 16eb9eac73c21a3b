"""Playbooks of the operator: a value is a value, whatever it says, and an absent-play undoes what was made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

from riverstone.engine import Engine, Invalid
from riverstone.engine.ready import PlaybookStone

from ..features.sketch import line, service

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        content: "{{ text }}"
        dest: "{{ folder }}/made-{{ riverstone_key }}"
        mode: "0600"
"""
ABSENT = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.file:
        path: "{{ folder }}/made-{{ riverstone_key }}"
        state: absent
"""


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[PlaybookStone]:
    pytest.importorskip("ansible_runner")
    monkeypatch.setenv("RIVERSTONE_COMMANDS", str(tmp_path / "commands"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "make.yml").write_text(PLAY)
    (tmp_path / "absent.yml").write_text(ABSENT)
    (tmp_path / "hosts").write_text(f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}\n")
    members: dict[str, Any] = {
        "code": "Ops::Play",
        "project": str(tmp_path),
        "inventory": str(tmp_path / "hosts"),
        "playbook": "make.yml",
        "undo_playbook": "absent.yml",
        "parameters": {
            "text": fields.String(required=True, metadata={"no_echo": True}),
            "folder": fields.String(load_default=str(tmp_path)),
        },
    }
    return type("Play", (PlaybookStone,), members)


def test_a_play_is_run_and_taken_back_and_no_value_is_a_template(play: type[PlaybookStone], tmp_path: Path) -> None:
    text = "{{ lookup('pipe', 'touch " + str(tmp_path / "hacked") + "') }}: 'x' \"y\" é\n!"
    with Engine("sqlite:///:memory:", stones=[play]) as engine:
        engine.deploy(line("p", service("one", play.code)))
        number = engine.start(key="p", name="one", variables={"text": text}).process_instance_id
        ended = engine.wait(number, timeout=120)
        assert ended.status == "success", ended.reason
        made = list((tmp_path).rglob("made-*"))
        assert [each.read_text() for each in made] == [text]
        assert not (tmp_path / "hacked").exists()
        kept = b"".join(file.read_bytes() for file in tmp_path.glob("commands/*/*/begun.json"))
        assert b"lookup" not in kept
        assert not list(tmp_path.glob("riverstone-play-*"))

        engine.delete(number)
        assert engine.wait(number, timeout=120).status == "delete.success"
        assert not list(tmp_path.rglob("made-*"))


def test_a_playbook_that_is_not_there_is_refused(play: type[PlaybookStone]) -> None:
    with pytest.raises(Invalid, match=r"no playbook 'none\.yml'"):
        type("Bad", (play,), {"playbook": "none.yml"})
    with pytest.raises(Invalid, match="needs project"):
        type("Bad", (play,), {"playbook": ""})
