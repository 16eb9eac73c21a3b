"""Callers of Camunda 8 name a version by its number or its key, however many there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from riverstone.api import create_app
from riverstone.api.camunda.definitions import deployment_of, key_of
from riverstone.engine import Engine, UnknownDeployment
from riverstone.models import Store
from riverstone.models.commit.rare_changes import INSERT_DEPLOYMENT

from ..features.sketch import line, service
from ..models.stores import SHARED, fresh


def crowd(url: str, deployment_id: str) -> None:
    """Thousands of versions after this one, as years of deployments leave them."""
    store = Store(url)
    row = store.catalogue.deployment(deployment_id)
    assert row is not None

    def add() -> None:
        for number in range(2, 2102):
            later = replace(
                row, id=str(uuid4()), version=number, digest=f"{number}", sources="[]", created=row.created + number
            )
            store.put(INSERT_DEPLOYMENT, later)

    store.write(add)
    store.close()


@pytest.mark.parametrize("kind", SHARED)
def test_the_oldest_of_thousands_of_versions_is_found(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url, Engine(url) as engine:
        oldest = engine.deploy(line("shop", service("a", "mail")), external=True)
        crowd(url, oldest.deployment_id)
        client = create_app(engine).test_client()
        by_number = {"processDefinitionKey": key_of(oldest.deployment_id)}
        by_version = {"processDefinitionId": oldest.key, "processDefinitionVersion": 1}
        for which in (by_number, by_version):
            answer = client.post("/v2/process-instances", json=which)
            begun = answer.get_json()
            assert (answer.status_code, begun["processDefinitionVersion"]) == (200, 1)
            assert engine.get(begun["processInstanceKey"]).deployment_id == oldest.deployment_id
        unknown = client.post("/v2/process-instances", json={**by_version, "processDefinitionVersion": 2102})
        assert unknown.status_code == 400
        for number in ("0", "", "-1", "x", str(2**63 - 1), str(2**63), "9" * 5000, "\u0665"):
            with pytest.raises(UnknownDeployment):
                deployment_of(engine, number)


@pytest.mark.parametrize(
    ("deployment_id", "number"),
    [
        ("00000000-0000-4000-8000-000000000001", "8192"),
        ("ffffffff-ffff-4fff-bfff-ffffffffffff", str(0xFFFFFFFFFFFF4FFF >> 1)),
    ],
)
def test_a_number_is_the_beginning_of_the_id(deployment_id: str, number: str) -> None:
    assert key_of(deployment_id) == number
    assert int(number) < 2**63
