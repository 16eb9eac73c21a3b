"""The image and the cluster of the manual, as far as they can be tried without an engine for containers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")
KUBERNETES = ROOT / "docs" / "examples" / "kubernetes.yaml"


def steps(word: str) -> list[str]:
    """What the Containerfile says by one of its words, lines that go on as one."""
    return re.findall(rf"^{word} (.*)$", CONTAINERFILE.replace("\\\n", " "), re.MULTILINE)


@pytest.mark.slow
def test_the_steps_of_the_image_make_a_server_that_is_healthy(tmp_path: Path) -> None:
    source = tmp_path / "src"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        if not name.startswith("tests/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    venv.create(tmp_path / "venv", with_pip=True)
    path = f"{tmp_path}/venv/bin:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for step in steps("RUN"):
        # The user, which is the image's own, is left out; places are those of the test.
        script = re.sub(r"&& (useradd|chown) .*?(?=&&|$)", "", step).replace("--no-cache-dir", "")
        script = re.sub(r"(?<=[ \"])/(src|wheels|data)\b", rf"{tmp_path}/\1", script)
        done = subprocess.run(["bash", "-euc", script], env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    settings = dict(re.findall(r"(RIVERSTONE_\w+)=(\S+)", steps("ENV")[0].replace("//data", f"/{tmp_path}/data")))
    command = [*yaml.safe_load(steps("ENTRYPOINT")[0]), *yaml.safe_load(steps("CMD")[-1]), "--port", "0"]
    # Without a key nobody from outside is answered, and the server says so in place of listening.
    refused = subprocess.run(command, env={**environment, **settings}, cwd=tmp_path, capture_output=True, text=True)
    assert "key" in refused.stderr
    subprocess.run(["riverstone", "key", "add", "me", "--scope", "read"], env={**environment, **settings}, check=True)
    with subprocess.Popen(
        command, env={**environment, **settings}, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        port = next(found[1] for line in server.stdout if (found := re.search(r"Listening on \S+:(\d+)", line)))
        check = steps("HEALTHCHECK")[0].partition("CMD ")[2].replace("8080", port)
        healthy = subprocess.run(yaml.safe_load(check), env=environment, cwd=tmp_path)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=10) as live:
            assert live.status == 200
        server.terminate()
        assert server.wait(timeout=60) == 0
    assert healthy.returncode == 0
    assert (tmp_path / "data" / "river.db").exists()


def test_kubernetes_takes_the_manifests() -> None:
    command = [sys.executable, "-m", "kubernetes_validate"]
    done = subprocess.run([*command, "--strict", str(KUBERNETES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    parts = list(yaml.safe_load_all(KUBERNETES.read_text(encoding="utf-8")))
    assert len(parts) == done.stdout.count("passed")
    for part in parts:
        for container in part["spec"].get("template", {}).get("spec", {}).get("containers", []):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["args"][0] in ("serve", "worker", "river")
