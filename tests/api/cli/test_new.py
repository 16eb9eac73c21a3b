"""``riverstone new`` makes a project whose README can be followed as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from click.testing import CliRunner

from riverstone.api.cli import main


def test_a_new_project_does_what_its_readme_says(tmp_path: Path) -> None:
    folder = tmp_path / "My_flows"
    made = CliRunner().invoke(main, ["new", str(folder)])
    assert made.exit_code == 0, made.output
    assert not [file.name for file in folder.iterdir() if re.search(r"@\w+@", file.read_text(encoding="utf-8"))]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    block = re.findall(r"^```\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)[0]
    lines = [line for line in block.splitlines() if not line.startswith(("pip ", "riverstone serve"))]
    lines += ["riverstone delete 1", "find things -mindepth 1", "riverstone lint my-flows.bpmn"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # As in a folder of one's own: nothing of this checkout is seen.
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert re.search(r"1 .* success +my-flows  my-flows", done.stdout)
    assert '"processStatus": "delete.success"' in done.stdout
    assert "note.txt\n" not in done.stdout.partition('"delete.success"')[2]
    assert "warning" not in done.stdout
    services = yaml.safe_load((folder / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert services["server"]["environment"]["RIVERSTONE_DB"].startswith("postgresql://")


def test_a_project_is_never_written_over_another_and_has_a_usable_name(tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "x y", tmp_path / "-", tmp_path / "流程", tmp_path / ("x" * 300)):
        refused = CliRunner().invoke(main, ["new", str(name)])
        assert refused.exit_code == 1
        assert "Error: " in refused.output
        assert "Traceback" not in refused.output
    assert not list(tmp_path.iterdir())
    assert CliRunner().invoke(main, ["new", str(tmp_path / "x")]).exit_code == 0
