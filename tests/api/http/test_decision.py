"""Decisions over HTTP."""

from __future__ import annotations

import pytest

from riverstone.engine import Engine

from ..asking import Client
from ..client.test_client import DISH, EVENING

MATCHED = {
    "decisionId": "dish",
    "name": "Dish",
    "rules": [2],
    "outputs": [{"dish": "Stew"}],
    "inputs": {"guests": 9},
}


def test_a_decision_is_deployed_listed_and_evaluated(client: Client) -> None:
    deployed = client.post("/deployment", data=DISH, content_type="application/xml").json
    listed = client.get("/decision").json
    made = client.post("/decision/dish/evaluate", json={"variables": {"guests": 9}})

    shown = {"decisionId": "dish", "name": "Dish", "deploymentId": deployed["deploymentId"], "version": 1}
    assert listed == {"items": [{**shown, "key": "d"}], "cursor": None}
    assert made.status_code == 200
    assert made.json == {
        **shown,
        "value": "Stew",
        "matched": [MATCHED],
        "violation": None,
        "warnings": [],
        "omitted": [],
    }


def test_what_a_process_has_decided_is_listed(client: Client, engine: Engine) -> None:
    deployment = engine.deploy(EVENING, DISH)
    number = engine.start(key="evening", name="x", variables={"guests": 9}).process_instance_id
    assert client.get(f"/process/{number}/detail").json["decided"] is True
    listed = client.get(f"/process/{number}/decision").json
    (made,) = listed["items"]
    assert (listed["cursor"], made["elementId"], made["name"]) == (None, "choose", "choose")
    assert made["result"]["matched"] == [MATCHED]
    assert (made["result"]["value"], made["result"]["deploymentId"]) == ("Stew", deployment.deployment_id)
    assert client.get(f"/process/{number}/decision?cursor=1").json["items"] == []
    assert client.get(f"/process/{number}/decision?cursor=x").status_code == 422
    assert client.get("/process/999/decision").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/decision/wine/evaluate", {}, 404, "unknown-decision"),
        ("/decision/%00/evaluate", {}, 404, "unknown-decision"),
        (f"/decision/{'x' * 900}/evaluate", {}, 404, "unknown-decision"),
        ("/decision/dish/evaluate?version=7", {}, 404, "unknown-decision"),
        ("/decision/dish/evaluate?version=0", {}, 422, "fields-invalid"),
        ("/decision/dish/evaluate?deploymentId=x", {}, 404, "unknown-deployment"),
        ("/decision/dish/evaluate", {"variables": []}, 422, "fields-invalid"),
        ("/decision/dish/evaluate", {"guests": 9}, 422, "fields-invalid"),
    ],
)
def test_a_wrong_question_says_what_is_wrong(
    client: Client, path: str, body: dict[str, object], status: int, code: str
) -> None:
    client.post("/deployment", data=DISH, content_type="application/xml")
    answer = client.post(path, json=body)

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_decision_that_would_never_end_says_so(client: Client) -> None:
    """Nobody holds others up: what a decision may cost is counted."""
    endless = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="e" name="e" namespace="urn:e">
<decision id="endless" name="E"><literalExpression><text>count(for a in 1..1000, b in 1..1000, c in 1..1000 return 1)
</text></literalExpression></decision></definitions>"""
    client.post("/deployment", data=endless, content_type="application/xml")
    answer = client.post("/decision/endless/evaluate", json={})

    assert (answer.status_code, answer.json["code"]) == (422, "limit-exceeded")
