"""What holds for every test: where it runs, that it is repeatable, and how the missing services are reported."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from .models.stores import fresh
from .services import program

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A test run says the same thing twice, on a slow machine and where CI is set too (hypothesis has a profile of its own
# for that); ``--hypothesis-profile=search`` looks for new examples.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("repeatable")

for name in [name for name in os.environ if name.startswith("RIVERSTONE_") and "_TEST_" not in name]:
    del os.environ[name]

MEMORY = Path("/dev/shm")
ENOUGH = 2 << 30
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
    # Most of a test on a disk is waiting for it: SQLite syncs each commit. What outlives a killed process outlives it
    # here too; only the loss of the machine is another matter, and no test can bring that about.
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None

CI = os.environ.get("CI", "").lower() not in ("", "0", "false")
"""Whether every service has to be there."""
SLOW_FOLDERS = frozenset(
    "aws benchmarks camunda commands console crashes faults frameworks modelers ready soak workers".split()
)
SERVERS = frozenset("postgresql mariadb rabbitmq redis".split())
"""Parameters that make a test slow: it waits for a server."""

CHROMIUM = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Workers for ``-n auto``: none where single tests are asked for, whose start would take longer than they do."""
    return 0 if config.args and all("::" in argument for argument in config.args) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and begin with it, so that no worker is left alone with it at the end."""
    root = Path(__file__).parent
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
        folder = item.path.relative_to(root).parts[0]
        if folder in SLOW_FOLDERS or any(isinstance(each, str) and each in SERVERS for each in parameters):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture
def leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that are short enough for a test which kills engines."""
    from riverstone.engine.river.engines import dead_engines, lease

    from .leases import hasten

    for module, name in ((dead_engines, "LEASE"), (dead_engines, "WITNESSED"), (lease, "HEARTBEAT")):
        monkeypatch.setattr(module, name, getattr(module, name))
    hasten()


@pytest.fixture(autouse=True)
def _process_put_back() -> Iterator[None]:
    """What a server begun in this process sets for all of it ends with its test: where its log goes, its signals."""
    loggers = [logging.getLogger(name) for name in ("riverstone", "waitress")]
    before = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    ends = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate
    for number, end in ends:
        if signal.getsignal(number) is not end:
            signal.signal(number, end)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: what is never run there would be run nowhere."""
    report = yield
    if CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: CI is set, and this test would be skipped. {_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each service that was missing."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", ()))
    for reason, times in sorted(reasons.items()):
        terminalreporter.write_line(f"{reason}: {times} tests skipped", yellow=True)


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return told.removeprefix("Skipped: ")


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database in a file, the quickest that other processes can share."""
    with fresh("sqlite", tmp_path) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it."""
    from playwright.sync_api import sync_playwright

    path = program("chromium", "chromium-browser", "google-chrome", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield browser
        browser.close()
