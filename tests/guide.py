"""Plays a page as a reader would: files are saved, Python and shell blocks run one after the other in one folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from .services import free_port

BLOCK = re.compile(r"^```(python|xml|toml|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"(?:# |<!-- )(\w+\.\w+)(?: -->)?\n")
"""The first line of a block that is a file of the reader's project."""
PRINTS = re.compile(r"print\(.*\)  # (.+)$", re.MULTILINE)
SAYS = re.compile(r"^# -> (.+)$", re.MULTILINE)


def play(page: Path, folder: Path) -> int:
    """Run all blocks of a page in the folder; fails where one does, or does not print what it promises."""
    port = str(free_port())
    environment = {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }
    exported = ""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    for kind, block in blocks:
        named = NAMED.match(block)
        if named is not None:
            (folder / named[1]).write_text(block, encoding="utf-8")
            continue
        if kind not in ("python", "sh"):
            continue
        text = block.replace("8080", port)
        script = (
            [sys.executable, "-c", text] if kind == "python" else ["bash", "-euo", "pipefail", "-c", exported + text]
        )
        code, said = _run(script, folder, environment)
        assert code == 0, f"{block}\n{said}"
        exported += "".join(f"{line}\n" for line in block.splitlines() if line.startswith(("cd ", "export ")))
        promised = (PRINTS if kind == "python" else SAYS).findall(block)
        assert [text for text in promised if text not in said] == [], said
    return len(blocks)


def _run(script: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """The exit code and output of a block; what it left running ends with it."""
    said = folder / ".said"
    with said.open("wb") as out:
        process = subprocess.Popen(
            script, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(timeout=180)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return code, said.read_text(encoding="utf-8", errors="replace")
