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
