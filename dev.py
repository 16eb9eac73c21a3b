"""Everything a checkout needs, with CPython and pip alone: ``python3 dev.py setup|demo|test|docs|bench|soak``.

``setup`` makes ``.venv`` and is run by the others; with ``--newest`` it takes up new versions of what is used.
``demo`` runs sample processes, without the developers' tools. ``test`` runs ruff, the import rules, mypy and pytest,
with ``--fast`` without the tests marked ``slow``, and with ``--lowest`` only pytest, without these, on the oldest
versions of other packages that ``pyproject.toml`` allows. ``docs`` writes the parts of the manual that come from the
code, and makes a site of it in ``build/site``. ``bench`` measures how fast all of it is. ``soak`` kills engines at work
on random models, 1,000 times or ``--kills`` times. Further arguments go to the demo, to pytest, or name the benchmarks.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOWEST = sys.argv[1:2] == ["test"] and "--lowest" in sys.argv
VENV = ROOT / "build" / "lowest" if LOWEST else ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = str(BIN / "python")
CONSTRAINTS = "constraints.txt"
HEAD = """\
# The versions with which the tests passed: pip install -c constraints.txt riverstone.
# Written by: python3 dev.py setup --newest
"""
TYPED = ("api", "bpmn_samples", "engine", "models")


def start(*command: str, quiet: bool = False) -> subprocess.Popen[str]:
    """A command begun at the root with the tools of ``.venv`` first; a quiet one keeps what it prints."""
    path = os.pathsep.join((str(BIN), os.environ.get("PATH", os.defpath)))
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(VENV)}
    out, errors = (subprocess.PIPE, subprocess.STDOUT) if quiet else (None, None)
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=out, stderr=errors)


def run(*command: str) -> int:
    """The exit code of a command."""
    return start(*command).wait()


def _digest() -> str:
    """Of all that decides what is installed, and where."""
    sources = ((ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "setup.py", CONSTRAINTS))
    return hashlib.sha256("\n".join((sys.version, str(ROOT), *sources)).encode()).hexdigest()


def setup(*, tools: bool = True, newest: bool = False) -> None:
    """Make ``.venv`` afresh if what is installed or its place has changed, or if it lacks the developers' tools.

    What is installed are the tested versions of ``constraints.txt``, or the ``newest``, which are then written there.
    """
    stamp = VENV / "installed"
    installed = stamp.read_text(encoding="utf-8").split() if stamp.exists() else []
    if newest or installed[:1] != [_digest()] or (tools and "tools" not in installed):
        if importlib.util.find_spec("pip") is None:
            sys.exit("dev.py needs pip: install it first (on Debian: apt-get install python3-pip).")
        print(f"Installing riverstone{' and its tools' if tools else ''} into .venv: a minute or two.", flush=True)
        # A bare Debian has venv without ensurepip, and marks its own pip as not to be used (PEP 668): so no pip inside.
        make = run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV))
        pip = (sys.executable, "-m", "pip", "--python", PYTHON, "--disable-pip-version-check")
        tested = () if newest else ("--constraint", CONSTRAINTS)
        install = [*pip, "install", "--quiet", *tested]
        if LOWEST:  # pip has no such resolution
            make = make or run(*pip, "install", "--quiet", "uv")
            install = [str(BIN / "uv"), "pip", "install", "--quiet", "--python", PYTHON, "--resolution=lowest-direct"]
        if make or run(*install, "--editable", ".[dev]" if tools else "."):
            sys.exit("Setting up .venv failed: see the message above.")
        if newest:
            frozen = subprocess.check_output([*pip, "freeze", "--exclude-editable"], text=True)
            (ROOT / CONSTRAINTS).write_text(HEAD + frozen, encoding="utf-8")
        stamp.write_text(f"{_digest()} tools" if tools else _digest(), encoding="utf-8")
    # mypy cannot follow the mapping of folders to packages, but it follows links.
    links = ROOT / ".typing" / "riverstone"
    links.mkdir(parents=True, exist_ok=True)
    for name in TYPED:
        if not (links / name).is_symlink():
            (links / name).symlink_to(Path("..", "..", name))


def test(arguments: list[str]) -> int:
    """Run every check, whatever fails before it; 0 only if all passed."""
    if LOWEST:
        return run(PYTHON, "-m", "pytest", "-m", "not slow", *(each for each in arguments if each != "--lowest"))
    if "--fast" in arguments:
        arguments = [*(each for each in arguments if each != "--fast"), "-m", "not slow"]
    failed = ["ruff"] if run("ruff", "check", "--quiet") else []
    # Many tests wait for something, and leave time to these.
    beside = {
        "import-linter": start("lint-imports", "--no-logo", quiet=True),
        "mypy": start(PYTHON, "-m", "mypy", quiet=True),
    }
    if run(PYTHON, "-m", "pytest", *arguments):
        failed.append("pytest")
    for name, process in beside.items():
        told, _ = process.communicate()
        if process.returncode:
            print(f"== {name}\n{told}", flush=True)
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "ruff, import-linter, mypy and pytest passed")
    return bool(failed)


def main() -> int:
    command, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if sys.version_info < (3, 11):
        sys.exit(f"riverstone needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    if command not in ("setup", "demo", "test", "docs", "bench", "soak"):
        sys.exit("Usage: python3 dev.py setup|demo|test|docs|bench|soak")
    setup(tools=command != "demo", newest=command == "setup" and "--newest" in arguments)
    if command == "demo":
        return run("riverstone", "demo", *arguments)
    if command == "docs":
        os.environ["NO_MKDOCS_2_WARNING"] = "1"
        return run(PYTHON, "-m", "tests.reference") or run(PYTHON, "-m", "mkdocs", "build", "--strict", *arguments)
    if command == "bench":
        return run(PYTHON, "-m", "tests.benchmarks", *arguments)
    if command == "soak":
        return run(PYTHON, "-m", "tests.soak.kills", *(each for each in arguments if each != "--kills"))
    return test(arguments) if command == "test" else 0


if __name__ == "__main__":
    sys.exit(main())
