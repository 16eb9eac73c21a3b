"""A short soak, so that the long one of ``dev.py soak`` keeps working; it finds what no matrix has thought of."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_random_processes_under_random_kills_are_not_lost_stuck_or_wrongly_ended() -> None:
    command = [sys.executable, "-m", "tests.soak.kills", "60", "7000"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr[-3000:]}"
    assert re.search(r"^\d+ kills in \d+ rounds, 0 wrong", ran.stdout, re.MULTILINE)
