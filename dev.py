"""Everything a checkout needs, with CPython and pip alone: ``python3 dev.py setup|demo|test|bench|soak``.

``setup`` makes ``.venv`` and is run by the others; ``demo`` runs a sample process; ``test`` runs ruff, the import
rules, mypy and pytest; ``bench`` measures how fast all of it is; ``soak`` kills engines at work on random models, 1,000
times or ``--kills`` times. Further arguments go to the demo, to pytest, or name the benchmarks to run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = str(BIN / "python")
TYPED = ("api", "bpmn_samples", "engine", "models")


def run(*command: str) -> int:
    """The exit code of a command, run at the root with the tools of ``.venv`` first."""
    path = os.pathsep.join((str(BIN), os.environ.get("PATH", os.defpath)))
    return subprocess.call(command, cwd=ROOT, env={**os.environ, "PATH": path, "VIRTUAL_ENV": str(VENV)})


def setup() -> None:
    """Make ``.venv`` afresh if ``pyproject.toml``, this interpreter or the place of the checkout has changed."""
    known = "\n".join((sys.version, str(ROOT), (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    digest = hashlib.sha256(known.encode()).hexdigest()
    stamp = VENV / "installed.sha256"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest:
        if importlib.util.find_spec("pip") is None:
            sys.exit("dev.py needs pip: install it first (on Debian: apt-get install python3-pip).")
        print("Installing riverstone and its tools into .venv: a minute or two.", flush=True)
        # A bare Debian has venv without ensurepip, and marks its own pip as not to be used (PEP 668): so no pip inside.
        make = run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV))
        pip = (sys.executable, "-m", "pip", "--python", PYTHON, "--disable-pip-version-check")
        if make or run(*pip, "install", "--quiet", "--editable", ".[dev]"):
            sys.exit("Setting up .venv failed: see the message above.")
        stamp.write_text(digest, encoding="utf-8")
    # mypy cannot follow the mapping of folders to packages, but it follows links.
    links = ROOT / ".typing" / "riverstone"
    links.mkdir(parents=True, exist_ok=True)
    for name in TYPED:
        if not (links / name).is_symlink():
            (links / name).symlink_to(Path("..", "..", name))


def test(arguments: list[str]) -> int:
    """Run every check, pytest last, whatever fails before it; 0 only if all passed."""
    checks = {
        "ruff": ("ruff", "check"),
        "import-linter": ("lint-imports", "--no-logo"),
        "mypy": (PYTHON, "-m", "mypy"),
        "pytest": (PYTHON, "-m", "pytest", *arguments),
    }
    failed = []
    for name, command in checks.items():
        print(f"== {name}", flush=True)
        if run(*command):
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def main() -> int:
    command, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if sys.version_info < (3, 11):
        sys.exit(f"riverstone needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    if command not in ("setup", "demo", "test", "bench", "soak"):
        sys.exit("Usage: python3 dev.py setup|demo|test|bench|soak")
    setup()
    if command == "demo":
        return run("riverstone", "demo", *arguments)
    if command == "bench":
        return run(PYTHON, "-m", "tests.benchmarks", *arguments)
    if command == "soak":
        return run(PYTHON, "-m", "tests.soak.kills", *(each for each in arguments if each != "--kills"))
    return test(arguments) if command == "test" else 0


if __name__ == "__main__":
    sys.exit(main())
