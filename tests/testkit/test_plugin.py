"""An author's project: pytest finds the plugin, its tests rehearse a flow, and the session tells what they covered."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from riverstone.bpmn_samples import path

pytest_plugins = ["pytester"]

QUICK = "addopts = -p no:schemathesis -p no:hypothesispytest -p no:anyio"
"""Other plugins that happen to be installed here take seconds to load."""

GUIDE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE))
"""The author's project that the guide shows."""
INI = re.findall(r"^```ini\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)[0]

MORE = """
def test_a_wrong_expectation(riverstone):
    riverstone.deploy("attach_volume.bpmn")
    riverstone.run("attach-volume", {"instanceCode": "i-1"}).assert_path("volume", "bill")

def test_a_fault_for_nobody(riverstone):
    riverstone.deploy("attach_volume.bpmn")
    riverstone.fail("volumes")
    riverstone.run("attach-volume", {"instanceCode": "i-1"})
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Stones, a model, a test; the ini file names the stones."""
    for name, text in FILES.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    pytester.makeini(f"{INI}filterwarnings = error\n{QUICK}")
    (pytester.path / "attach_volume.bpmn").write_bytes(path("attach_volume").read_bytes())
    return pytester


def test_the_session_tells_and_paints_what_was_run_and_undone(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--riverstone-coverage=report", "--riverstone-fail-under=95")

    result.assert_outcomes(passed=7)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*riverstone coverage*",
            "attach_volume.bpmn  nodes 3/3 100 %  flows 2/2 100 %  undo 1/1 100 %",
            "error_boundary.bpmn  nodes 9/11 81 %  flows 6/8 75 %  undo 0/4 0 %",
            "*never run: end, installEnd*",
            "FAIL: less than 95 % is covered.",
        ]
    )
    picture = Path(project.path, "report", "attach_volume.svg").read_text(encoding="utf-8")
    assert "run, and undone or retained" in picture


def test_what_failed_is_told_in_words(project: pytest.Pytester) -> None:
    project.makepyfile(test_more=MORE)

    result = project.runpytest_subprocess("test_more.py")

    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*Made to fail but never called: start of 'volumes'.",
            "*Called: start of 'volume'.",
            "*went another way: It ended where bill was expected.",
            "*found:    volume",
        ]
    )
    result.stdout.no_fnmatch_line("*engine/testkit/run.py*")


def test_the_contract_is_checked_from_the_command_line(project: pytest.Pytester) -> None:
    project.makepyfile(wrong_stones=FILES["shop_stones.py"].replace("pop(task.start_key, None)", "pop(task.start_key)"))
    command = (
        sys.executable,
        "-c",
        "from riverstone.api.cli import main; main()",
        "stone",
        "check",
        "--parameters",
        '{"instanceCode": "i-1"}',
    )

    result = project.run(*command, "shop_stones:Volume", "wrong_stones")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "stone SIP::EC2::Volume",
            "*ok*rollback of a thing whose start was never heard of*",
            "*nothing wrong",
            "stone SIP::EC2::Volume",
            "*wrong*delete, again: failed: KeyError*raise NotFound or return.",
            "*wrong",
        ]
    )
