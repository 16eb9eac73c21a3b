"""What is told of both interfaces is what they are."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from riverstone.api.camunda import blueprint, description
from riverstone.engine import Engine

from ..features.sketch import line
from .test_eight import activate, job
from .test_wire import fetch

BOTH = [
    ("/engine-rest", [*blueprint.WORKERS, *blueprint.OTHERS], description.SEVEN),
    ("/v2", [*blueprint.JOBS, *blueprint.ORCHESTRATION], description.EIGHT),
]


@pytest.mark.parametrize(("prefix", "routes", "schemas"), BOTH)
def test_every_route_is_described_and_nothing_else(url: str, prefix: str, routes: Any, schemas: Any) -> None:
    told = requests.get(f"{url}{prefix}/openapi.json", timeout=60).json()
    validate(told)
    listed = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert listed == {(method, re.sub(r"<(\w+)>", r"{\1}", rule)) for method, rule, *_ in routes}
    names = [one["operationId"] for methods in told["paths"].values() for one in methods.values()]
    assert len(set(names)) == len(names)
    assert told["components"]["schemas"] == schemas
    assert urljoin(f"{prefix}/openapi.json", told["servers"][0]["url"]) == prefix


def test_a_member_of_the_wrong_type_is_refused_as_described(engine: Engine, url: str) -> None:
    """Each member that is said to be read is read, and by its type."""
    engine.deploy(line("shop", job("a", "mail")), external=True)
    wrong: dict[str, Any] = {"text": 7, "number": "x", "texts": 7, "objects": 7, "object": 7, "values": 7, "topics": 7}
    wrong["truth"] = "yes"
    for prefix, routes, _ in BOTH:
        for method, rule, function, *_ in routes:
            path = re.sub(r"<\w+>", "1-1" if prefix == "/engine-rest" else "10001", rule)
            for name, _, kind in (each.partition(":") for each in description.DESCRIBED[function].body.split()):
                kind = kind.rstrip("!")
                if name == "processDefinitionKey":
                    # Keys of Camunda 8 are taken as numbers too.
                    continue
                body = {**_right(description.DESCRIBED[function].body), name: wrong[kind]}
                answer = requests.request(method, f"{url}{prefix}{path}", json=body, timeout=60)
                assert answer.status_code == 400, (path, name, answer.text)


def _right(body: str) -> dict[str, Any]:
    given = {"text": "x", "number": 1, "topics": [], "values": {}, "object": {"timeout": 1}}
    return {
        each.partition(":")[0]: given[each.partition(":")[2].rstrip("!")] for each in body.split() if each.endswith("!")
    }


def test_a_process_without_a_business_key_is_as_described(engine: Engine, url: str) -> None:
    engine.deploy(line("shop", job("a", "mail")), external=True)
    began = requests.post(f"{url}/engine-rest/process-definition/key/shop/start", json={}, timeout=60).json()
    assert began["businessKey"] is None
    Draft202012Validator(description.SEVEN["Instance"]).validate(began)


def test_tasks_and_jobs_are_as_described(engine: Engine, url: str) -> None:
    engine.deploy(line("shop", job("a", "mail")), external=True)
    for _ in range(2):
        engine.start(key="shop", name="t", variables={"x": {"y": [1]}})
    (task,) = fetch(url, "mail", most=1, includeExtensionProperties=True).json()
    schemas = {"components": {"schemas": description.SEVEN}}
    Draft202012Validator({**schemas, **description.SEVEN["LockedTask"]}).validate(task)
    assert task.keys() == description.SEVEN["LockedTask"]["properties"].keys()
    shown = requests.get(f"{url}/engine-rest/external-task/{task['id']}", timeout=60).json()
    assert shown.keys() == description.SEVEN["Task"]["properties"].keys()
    (found,) = activate(url, "mail").json()["jobs"]
    Draft202012Validator(description.EIGHT["Job"]).validate(found)
