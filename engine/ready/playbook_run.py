"""Runs one playbook by ``ansible-runner``: a program by itself, which reads the variables from its standard input.

They go into a folder of its own that nobody else can read, and never into the words of a command. Every text is marked
``!unsafe``, so that Ansible takes no value for a template: one could run any program on this machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any


def yaml_of(value: Any) -> str:
    """A JSON value as YAML in which no text is a template."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(name))}: {yaml_of(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(yaml_of, value)) + "]"
    return f"!unsafe {json.dumps(value)}" if isinstance(value, str) else json.dumps(value)


def main() -> int:
    told = json.load(sys.stdin)
    place = tempfile.mkdtemp(prefix="riverstone-play-")
    try:
        os.mkdir(os.path.join(place, "env"), 0o700)
        with open(os.path.join(place, "env", "extravars"), "w", encoding="utf-8") as file:
            file.write(yaml_of(told["variables"]) + "\n")
        os.symlink(told["project"], os.path.join(place, "project"))
        os.symlink(told["inventory"], os.path.join(place, "inventory"))
        beside = os.path.join(os.path.dirname(sys.executable), "ansible-runner")
        program = beside if os.path.exists(beside) else "ansible-runner"
        path = os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)))
        command = [program, "run", place, "-p", told["playbook"]]
        return subprocess.call(command, stdin=subprocess.DEVNULL, env={**os.environ, "PATH": path})
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
