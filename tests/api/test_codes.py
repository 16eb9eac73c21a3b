"""Whoever reads a code asks what it means: on the command line and over HTTP."""

from __future__ import annotations

import re
from typing import Any

import pytest
from click.testing import CliRunner

from riverstone.api.cli import main
from riverstone.api.codes import explain
from riverstone.engine import RiverstoneError
from riverstone.engine.errors import ModelInvalid, Unknown

from ..features.sketch import line, service
from ..reference import codes, findings
from ..reference.examples import ALIKE, EXAMPLES
from .asking import Client

LOST = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x">
  <message id="m"/>
</definitions>"""


@pytest.mark.parametrize("code", [*EXAMPLES, *ALIKE])
def test_every_finding_is_explained_with_its_example(code: str) -> None:
    found = explain(code)

    assert found.kind == "finding"
    assert found.text
    if code in EXAMPLES:
        assert found.wrong
        assert bool(found.mended) == bool(EXAMPLES[code].mended)
        told = findings.before(code, EXAMPLES[code])
        assert told is not None
        assert found.text.split()[0].rstrip(".,").lower() in ("error", "warning")


def test_every_error_is_explained() -> None:
    known = {each.code for each in codes.raised()} | {each.code for each in RiverstoneError.__subclasses__()}

    assert {
        code for code in known if not re.search(r"\w+ \w+", re.sub(r"^\d{3} [\w ]+\. ?", "", explain(code).text))
    } == set()
    assert explain("four-eyes").text.startswith("403 Forbidden. ")
    assert explain("session-over").text == "401 Unauthorized. The session is over: sign in again."
    assert explain("provider-unavailable").text.startswith("503 Service Unavailable. The provider does not answer")
    assert explain("model-invalid").text == (ModelInvalid.__doc__ or "").partition("\n\n")[0]


def test_a_code_that_is_none_is_told_with_the_nearest_ones() -> None:
    with pytest.raises(Unknown, match=r"Perhaps no-process or"):
        explain("no-proces")
    with pytest.raises(Unknown, match=r"has the code 'x'\.$"):
        explain("x")


def test_a_lint_without_stones_says_what_it_has_not_checked(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment of the same file is refused for it."""
    monkeypatch.delenv("RIVERSTONE_STONES", raising=False)
    (tmp_path / "topic.bpmn").write_bytes(line("p", service("a", "nobody's")))
    told = CliRunner().invoke(main, ["lint", str(tmp_path / "topic.bpmn")])
    assert (told.exit_code, "unknown-stone" in told.stdout) == (0, False)
    assert "Not checked: whether the stones exist." in told.stderr
    workers = CliRunner().invoke(main, ["lint", "--external", str(tmp_path / "topic.bpmn")])
    assert (workers.exit_code, workers.stderr) == (0, "")


def test_a_lint_says_how_to_ask_and_the_command_answers(tmp_path: Any) -> None:
    (tmp_path / "lost.bpmn").write_bytes(LOST)
    told = CliRunner().invoke(main, ["lint", str(tmp_path / "lost.bpmn")])
    assert "error no-process: " in told.stdout
    assert "riverstone explain CODE" in told.stderr

    answer = CliRunner().invoke(main, ["explain", "no-process"])
    assert answer.exit_code == 0
    assert 'For example:\n\n  <message id="m"/>\n\nMended:\n\n  <process id="p"' in answer.stdout
    refused = CliRunner().invoke(main, ["explain", "no-proces"])
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: No finding and no error has the code 'no-proces'. Perhaps no-process or")


def test_over_http_a_code_is_explained_or_not_known(client: Client) -> None:
    found = client.get("/code/no-process").json
    assert found["kind"] == "finding"
    assert found["wrong"] == '<message id="m"/>'
    assert client.get("/code/cursor").json["mended"] is None
    refused = client.post("/model", data=LOST, content_type="application/xml")
    told = re.fullmatch(r"<(code/model-invalid)>; rel=\"help\"", refused.headers["Link"])
    assert told is not None
    assert client.get(f"/{told[1]}").json["code"] == refused.json["code"]
    gone = client.get("/code/no-proces")
    assert gone.status_code == 404
    assert gone.json["code"] == "unknown"
