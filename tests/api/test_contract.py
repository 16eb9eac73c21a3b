"""What a release has told clients of the HTTP calls holds in all that come after it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .asking import Client
from .contract import broken

KEPT = sorted((Path(__file__).parents[1] / "data" / "openapi").glob("*.json"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_the_calls_of_a_release_are_there_as_it_told_them(client: Client, path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert len(kept["paths"]) > 50
    assert not list(broken(kept, client.get("/openapi.json").json))


def _gone(document: Any) -> None:
    del document["paths"]["/process"]["post"]


def _parameter(document: Any) -> None:
    document["paths"]["/process"]["get"]["parameters"] = []


def _needed(document: Any) -> None:
    body = document["paths"]["/process"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    name = body["$ref"].rpartition("/")[2]
    document["components"]["schemas"][name].setdefault("required", []).append("colour")


def _field(document: Any) -> None:
    del document["components"]["schemas"]["ProcessRecord"]["properties"]["processStatus"]


def _type(document: Any) -> None:
    document["components"]["schemas"]["ProcessRecord"]["properties"]["processInstanceId"] = {"type": "integer"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_gone, "POST /process is gone"),
        (_parameter, "GET /process: the parameter limit is gone"),
        (_needed, "POST /process body.colour is needed now"),
        (_field, "GET /process/{processInstanceId} 200.processStatus is gone"),
        (_type, "POST /process 200.processInstanceId: was string, is integer"),
    ],
)
def test_what_breaks_a_client_is_told(client: Client, change: Callable[[Any], None], told: str) -> None:
    kept = client.get("/openapi.json").json
    now = copy.deepcopy(kept)
    change(now)
    assert told in set(broken(kept, now))
    assert not list(broken(kept, kept))
