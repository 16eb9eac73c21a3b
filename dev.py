"""Everything a checkout needs, with CPython and pip alone: ``python3 dev.py setup|demo|test|docs|bench|soak``.

``setup`` makes ``.venv`` and is run by the others; with ``--newest`` it takes up new versions of what is used.
``demo`` runs sample processes, without the developers' tools. ``test`` runs ruff, the import rules, mypy and pytest,
with ``--fast`` without the tests marked ``slow``. With ``--lowest`` it runs only pytest, without these, on the oldest
versions of other packages that ``pyproject.toml`` allows; with ``--python 3.14`` on another Python, with ``--python
all`` on each other one that is installed, by pyenv or on the PATH. ``docs`` writes the parts of the manual that come
from the code, and makes a site of it in ``build/site``. ``bench`` measures how fast all of it is. ``soak`` kills
engines at work on random models, 1,000 times or ``--kills`` times. Further arguments go to the demo, to pytest, or name
the benchmarks.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
ARGUMENTS = sys.argv[2:]
LOWEST = sys.argv[1:2] == ["test"] and "--lowest" in ARGUMENTS
OTHER = ""
if sys.argv[1:2] == ["test"] and "--python" in ARGUMENTS:
    at = ARGUMENTS.index("--python")
    OTHER = "".join(ARGUMENTS[at + 1 : at + 2]) or "none"
    del ARGUMENTS[at : at + 2]
KINDS = [*(["lowest"] if LOWEST else []), *([f"python{OTHER}"] if OTHER else [])]
VENV = ROOT / "build" / "-".join(KINDS) if KINDS else ROOT / ".venv"
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


def find(version: str) -> str | None:
    """Where a Python is: what pyenv has stands on the PATH too, but works there only where it was chosen."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [*map(str, pyenv.glob(f"{version}.*/bin/python")), shutil.which(f"python{version}")]
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for python in filter(None, found):
        asked = subprocess.run([python, "-c", ask], capture_output=True, text=True)
        if asked.stdout.strip() == version:
            return python
    return None


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
        python = find(OTHER) if OTHER else sys.executable
        if python is None:
            sys.exit(f"Python {OTHER} is not installed, neither by pyenv nor on the PATH.")
        place = VENV.relative_to(ROOT)
        print(f"Installing riverstone{' and its tools' if tools else ''} into {place}: a minute or two.", flush=True)
        # A bare Debian has venv without ensurepip, and marks its own pip as not to be used (PEP 668): so no pip inside.
        make = run(python, "-m", "venv", "--clear", "--without-pip", str(VENV))
        pip = (sys.executable, "-m", "pip", "--python", PYTHON, "--disable-pip-version-check")
        tested = () if newest else ("--constraint", CONSTRAINTS)
        install = [*pip, "install", "--quiet", *tested]
        if LOWEST or OTHER:  # pip has no such resolution, and takes minutes for each
            make = make or run(*pip, "install", "--quiet", "uv")
            install = [str(BIN / "uv"), "pip", "install", "--quiet", "--python", PYTHON]
            install += ["--resolution=lowest-direct"] if LOWEST else tested
        if make or run(*install, "--editable", ".[dev]" if tools else "."):
            sys.exit(f"Setting up {place} failed: see the message above.")
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
    if LOWEST or OTHER:
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


def test_each(arguments: list[str]) -> int:
    """Run some tests on every other Python that is installed; 0 only if all passed."""
    failed = []
    for version in PYTHONS:
        if sys.version.startswith(f"{version}."):
            continue
        if find(version) is None:
            print(f"Python {version} is not installed: nothing is tested on it.", flush=True)
            continue
        print(f"== Python {version}", flush=True)
        if run(sys.executable, "dev.py", "test", "--python", version, *arguments):
            failed.append(version)
    print(f"failed on Python {', '.join(failed)}" if failed else "passed on every other Python that is installed")
    return bool(failed)


def main() -> int:
    command, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), ARGUMENTS
    if sys.version_info < (3, 11):
        sys.exit(f"riverstone needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    if command not in ("setup", "demo", "test", "docs", "bench", "soak"):
        sys.exit("Usage: python3 dev.py setup|demo|test|docs|bench|soak")
    if OTHER == "all":
        return test_each(arguments)
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
