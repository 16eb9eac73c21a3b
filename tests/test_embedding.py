"""A service with top-level packages ``api`` and ``models`` of its own uses the library beside them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("api", "bpmn_samples", "engine", "models")

SERVICE = """
import json
import api, models
import riverstone.api, riverstone.bpmn_samples, riverstone.engine, riverstone.models

with riverstone.engine.Engine("sqlite:///:memory:") as engine:
    deployments = len(engine.deployments().items)
    web = riverstone.api.create_app(engine)
print(json.dumps({
    "own": [api.WHOSE, models.WHOSE],
    "library": [m.__file__ for m in (riverstone.api, riverstone.bpmn_samples, riverstone.engine, riverstone.models)],
    "deployments": deployments,
    "routes": len(list(web.url_map.iter_rules())),
}))
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """Another team's service, whose packages have the names of our folders."""
    for name in FOLDERS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"WHOSE = 'the service {name}'\n", encoding="utf-8")
    (tmp_path / "service.py").write_text(SERVICE, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy since building writes into the tree."""
    tree = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in (*FOLDERS, "command"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs" / "reference", tree / "docs" / "reference")
    build = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=tree, check=True, capture_output=True)
    (built,) = (tree / "dist").glob("*.whl")
    return built


def start(service: Path, *paths: Path) -> dict[str, Any]:
    """What the service says of itself, started by a fresh interpreter that first looks into these paths."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-W", "error", "service.py"]
    done = subprocess.run(command, cwd=service, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_service_keeps_its_own_packages_beside_an_editable_install(service: Path) -> None:
    said = start(service)
    assert said["own"] == ["the service api", "the service models"]
    assert said["library"] == [str(ROOT / name / "__init__.py") for name in FOLDERS]
    assert said["deployments"] == 0
    assert said["routes"] > 1


def test_a_service_keeps_its_own_packages_beside_an_installed_wheel(
    service: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    said = start(service, site)
    assert said["own"] == ["the service api", "the service models"]
    assert said["library"] == [str(site / "riverstone" / name / "__init__.py") for name in FOLDERS]
    assert said["deployments"] == 0
    assert said["routes"] > 1
