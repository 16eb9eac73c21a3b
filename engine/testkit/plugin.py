"""The pytest plugin: the fixture ``riverstone``, and the coverage of model files over all tests of a session."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

PASSED = pytest.StashKey[bool]()
COVERAGE = pytest.StashKey[Any]()
"""A Coverage, made when a first test needs one, so that pytest starts no slower where none does."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("riverstone")
    group.addoption(
        "--riverstone-coverage",
        nargs="?",
        const="riverstone-coverage",
        metavar="FOLDER",
        help="Report which nodes and flows of the deployed models the tests ran, and which tasks they undid; "
        "pictures go into FOLDER.",
    )
    group.addoption(
        "--riverstone-fail-under",
        type=float,
        metavar="PERCENT",
        help="Fail if less of the models is covered.",
    )
    parser.addini("riverstone_stones", "Modules whose stones every rehearsal knows.", type="linelist")


def _covers(config: pytest.Config) -> bool:
    return config.getoption("--riverstone-coverage") is not None or _least(config) is not None


def _least(config: pytest.Config) -> float | None:
    least: float | None = config.getoption("--riverstone-fail-under")
    return least


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture
def riverstone(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A :class:`riverstone.engine.testkit.Rehearsal`: an engine in memory for this test alone.

    It knows the stones of the modules in the ini option ``riverstone_stones``.
    """
    from ..stones.modules import stones_in
    from .coverage import Coverage
    from .rehearsal import Rehearsal

    config = request.config
    with Rehearsal([stone for name in config.getini("riverstone_stones") for stone in stones_in(name)]) as rehearsal:
        yield rehearsal
        if _covers(config):
            config.stash.setdefault(COVERAGE, Coverage()).add(rehearsal)
        if request.node.stash.get(PASSED, False):
            rehearsal.assert_faults_used()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    coverage = config.stash.get(COVERAGE, None)
    output = getattr(config, "workeroutput", None)
    if output is not None and coverage is not None:
        # Under pytest-xdist the workers count, and the first process reports.
        output["riverstone_coverage"] = coverage.data()
        return
    least = _least(config)
    if output is None and least is not None and (coverage is None or coverage.percent < least):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    from .coverage import Coverage

    data = getattr(node, "workeroutput", {}).get("riverstone_coverage")
    if data:
        node.config.stash.setdefault(COVERAGE, Coverage()).merge(data)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    coverage = config.stash.get(COVERAGE, None)
    if not _covers(config):
        return
    terminalreporter.section("riverstone coverage")
    if coverage is None:
        terminalreporter.line("No test has used the fixture riverstone.")
        return
    terminalreporter.write(coverage.text())
    folder = config.getoption("--riverstone-coverage")
    if folder is not None:
        coverage.write(Path(folder))
        terminalreporter.line(f"Pictures are in {folder}.")
    least = _least(config)
    if least is not None and coverage.percent < least:
        terminalreporter.line(f"FAIL: less than {least:g} % is covered.", red=True)
