"""The frame of the project: what is packaged, what may import what, and which commands are promised."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("api", "bpmn_samples", "engine", "models")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def folders_with_modules() -> Iterator[Path]:
    """The folders of the installed code that hold Python modules."""
    for top in FOLDERS:
        for folder in sorted({module.parent for module in (ROOT / top).rglob("*.py")}):
            yield folder.relative_to(ROOT)


def source_files() -> list[str]:
    """The files of the checkout, or where git knows none (a bare machine, an unpacked archive) all that lie there."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
        if listed.returncode == 0:
            return listed.stdout.split()
    tops = (*FOLDERS, "command", "")
    found = (path for top in tops for path in (ROOT / top).glob("**/*" if top else "*") if path.is_file())
    return [path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheel and the archive of the sources."""
    tree = tmp_path_factory.mktemp("tree")
    for name in source_files():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    build = "from setuptools import build_meta; build_meta.build_sdist('dist'); build_meta.build_wheel('dist')"
    built = subprocess.run([sys.executable, "-c", build], cwd=tree, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr

    return sorted((tree / "dist").iterdir())


def test_what_is_published_holds_every_file_and_licence_and_what_pypi_asks_for(published: list[Path]) -> None:
    files, tracked = published, source_files()
    with zipfile.ZipFile(files[0]) as wheel:
        named = wheel.namelist()
    packed = {name for name in named if name.startswith("riverstone/")}
    assert packed == {"riverstone/__main__.py"} | {
        f"riverstone/{name}" for name in tracked if name.split("/")[0] in FOLDERS
    } | {f"riverstone/manual/reference/{name}.md" for name in ("errors", "findings")}
    licences = {name.partition("/licenses/")[2] for name in named if "/licenses/" in name}
    assert licences == set(PROJECT["project"]["license-files"])
    with tarfile.open(files[1]) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    assert {name for name in tracked if name.split("/")[0] in (*FOLDERS, "docs", "tests")} <= sources
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, files)], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_pytest_with_warnings_as_errors_runs_wherever_riverstone_is_installed(
    published: list[Path], tmp_path: Path
) -> None:
    installed, project = tmp_path / "installed", tmp_path / "project"
    project.mkdir()
    with zipfile.ZipFile(published[0]) as wheel:
        wheel.extractall(installed)
    (project / "test_a.py").write_text("def test_a(riverstone):\n    riverstone.engine\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    ran = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_package_is_a_regular_one_and_says_that_it_is_typed() -> None:
    missing = [
        str(folder / name)
        for folder in folders_with_modules()
        for name in ("__init__.py", "py.typed")
        if not (ROOT / folder / name).is_file()
    ]
    assert not missing


# Not by ``ast``, in which CPython 3.11 stumbles when another thread prints a traceback at the same moment.
IMPORTED = re.compile(r"\s*(?:from(?=\s+\w[\w.]*\s+import\b)|import)\s+(\w[\w.]*)")


def test_the_packages_import_each_other_relatively_so_that_they_can_be_mapped_under_one_name() -> None:
    absolute = []
    for folder in folders_with_modules():
        for module in sorted((ROOT / folder).glob("*.py")):
            for number, line in enumerate(module.read_text(encoding="utf-8").splitlines(), 1):
                found = IMPORTED.match(line)
                if found and found[1].split(".")[0] in ("riverstone", *FOLDERS):
                    absolute.append(f"{module.relative_to(ROOT)}:{number} imports {found[1]}")
    assert not absolute


@pytest.mark.parametrize("package", ["engine", "models", "bpmn_samples"])
def test_a_program_that_uses_the_library_does_not_load_the_web_or_the_broker(package: str) -> None:
    program = f"import sys, riverstone.{package}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "riverstone" in loaded
    assert not {"flask", "werkzeug", "waitress", "apispec", "click", "celery", "kombu"} & set(loaded)


LATE = frozenset(
    """marshmallow peewee playhouse prometheus_client opentelemetry
    riverstone.engine.authoring.bundle riverstone.engine.bpmn.reading.parser riverstone.engine.bpmn.checks
    riverstone.engine.dmn riverstone.engine.authoring.templates riverstone.engine.language.grammar
    riverstone.engine.bpmn.drawing riverstone.engine.showing.picture riverstone.engine.stones.declarations.schema
    riverstone.engine.stones.remote riverstone.engine.undo.model riverstone.engine.showing.why.explanation
    riverstone.engine.metrics riverstone.engine.testkit riverstone.engine.dispatch.celery""".split()
)


def test_the_import_of_the_library_leaves_to_later_calls_what_many_programs_never_use() -> None:
    program = "import sys, riverstone.engine; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "riverstone.engine" in loaded
    assert not LATE & set(loaded)
    assert all(importlib.util.find_spec(name) for name in LATE)  # what was renamed would never be found


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    """The import rules of this project, judged over a tree that is laid out as installed."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    options = ["--no-logo", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    return subprocess.run([sys.executable, "-c", program, *options], cwd=tree, capture_output=True, text=True)


@pytest.fixture(scope="module")
def installed_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages as ``riverstone.*``, to be spoilt."""
    tree = tmp_path_factory.mktemp("tree")
    for top in FOLDERS:
        shutil.copytree(ROOT / top, tree / "riverstone" / top, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


def test_the_import_rules_hold(installed_tree: Path) -> None:
    judged = lint_imports(installed_tree)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize(
    ("package", "line", "rule"),
    [
        ("models", "from ..engine import errors", "imports flow"),
        ("engine", "from .. import api", "imports flow"),
        ("engine", "import flask", "knows nothing of the web"),
        ("engine/dispatch", "import SpiffWorkflow", "only engine.bpmn imports SpiffWorkflow"),
        ("models", "from lxml import etree", "reads no XML"),
        ("engine/language", "from ..river import river", "floors of the engine"),
        ("engine", "", "floors of the engine"),
        ("api/wire", "from ..http import process", "floors of the API"),
        ("engine/bpmn", "import celery", "only the Celery dispatcher"),
    ],
)
def test_an_import_against_the_rules_is_refused(installed_tree: Path, package: str, line: str, rule: str) -> None:
    spoilt = installed_tree / "riverstone" / package / "spoilt.py"
    spoilt.write_text(line + "\n", encoding="utf-8")
    try:
        judged = lint_imports(installed_tree)
    finally:
        spoilt.unlink()
    assert judged.returncode != 0
    broken = [text for text in judged.stdout.splitlines() if " BROKEN" in text]
    assert [text for text in broken if rule in text], judged.stdout + judged.stderr


def test_git_can_check_each_commit_as_the_test_command_does() -> None:
    hooks = re.findall(r"entry: \.venv/bin/(.*)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    script = (ROOT / "dev.py").read_text(encoding="utf-8")
    for check in ("ruff check --quiet", "lint-imports --no-logo", "python -m mypy"):
        assert check in hooks
        words = check.replace("python", "PYTHON").split()
        assert ", ".join(word if word == "PYTHON" else f'"{word}"' for word in words) in script


def test_the_promised_test_command_is_the_one_that_ci_runs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = ROOT / ".ci" / "run"
    command = script.read_text(encoding="utf-8").splitlines()[-1].removeprefix("exec ")
    assert os.access(script, os.X_OK)
    assert command == "python3 dev.py test"
    assert re.search(rf"^\s*{re.escape(command)}\b", readme, re.MULTILINE)
    assert re.search(r"^\s*python3 dev\.py demo\b", readme, re.MULTILINE)


def test_the_script_of_a_checkout_needs_nothing_that_is_not_in_cpython() -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert "subprocess" in imported
    assert imported <= sys.stdlib_module_names
