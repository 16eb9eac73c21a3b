"""A stone in another language, as the guide shows it: a worker on Node behind the real RabbitMQ."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..features.sketch import line, service
from ..services import program
from . import brokers
from .crew import ROOT, Crew

EXAMPLE = ROOT / "docs" / "examples" / "worker.mjs"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A folder with the example and the package that it needs."""
    program("npm", package="npm")
    shutil.copy(EXAMPLE, tmp_path)
    install = ["npm", "install", "--prefix", str(tmp_path), "--no-audit", "--no-fund", "--silent", "amqplib@^2"]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    return tmp_path / EXAMPLE.name


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    with brokers.fresh("rabbitmq", tmp_path) as url:
        yield url


def test_a_worker_on_node_declares_its_stone_fails_and_answers(node: Path, broker: str, tmp_path: Path) -> None:
    crew = Crew(f"sqlite:///{tmp_path}/store.db", broker, tmp_path)
    with subprocess.Popen(["node", str(node), broker]) as process:
        try:
            with crew.river(stones=1) as engine:
                engine.deploy(line("letter", service("tell", "SIP::Mail")))
                started = engine.start(key="letter", name="x", variables={"to": "Ann Ö."})
                ended = engine.wait(started.process_instance_id, timeout=30)
                (task,) = engine.tasks(started.process_instance_id)
        finally:
            process.kill()
    assert (ended.status, task.attempt) == ("success", 2)
    assert task.outputs["sent"].startswith("Ann Ö.: ")


def test_a_worker_on_node_begins_nothing_that_was_stopped_before_it_came(
    node: Path, broker: str, tmp_path: Path
) -> None:
    """As the guide tells: what has waited in the queue is asked for."""
    text = node.read_text(encoding="utf-8")
    told = text.replace(
        "async function start(work) {", "async function start(work) { console.log('began ' + work.name)"
    )
    assert told != text
    node.write_text(told, encoding="utf-8")
    crew = Crew(f"sqlite:///{tmp_path}/store.db", broker, tmp_path)
    out = tmp_path / "out"

    def worker() -> subprocess.Popen[bytes]:
        with out.open("ab") as file:
            return subprocess.Popen(["node", str(node), broker], stdout=file)

    with worker() as process, crew.river(stones=1) as engine:
        process.kill()
        process.wait()
        engine.deploy(line("letter", service("tell", "SIP::Mail", name="${to}")))
        stopped, kept = (engine.start(key="letter", name="x", variables={"to": to}) for to in ("Ann", "Ben"))
        engine.cancel(stopped.process_instance_id, force=True)
        assert engine.wait(stopped.process_instance_id, timeout=30).status == "cancel.success"
        with worker() as later:
            try:
                assert engine.wait(kept.process_instance_id, timeout=30).status == "success"
            finally:
                later.kill()
        assert engine.tasks(stopped.process_instance_id)[0].status != "start.success"
    assert out.read_text().splitlines() == ["began ${to}"] * 2
