"""Who waits for a message, as a PostgreSQL finds them that has counted nothing yet: its store was just filled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from riverstone.engine import Engine
from riverstone.models import ReceiverFilter, Store
from riverstone.models.messages import RECEIVERS

from ..features.sketch import catch, definitions, flow, process
from .stores import bare

MANY, AT_ONCE = 3_000, 500
ORDER = definitions(
    '<message id="m" name="paid"/>',
    process("order", '<startEvent id="s"/>', catch("c", '<messageEventDefinition messageRef="m"/>'), flow("s", "c")),
)
COPY = (
    "INSERT INTO `{table}` SELECT (jsonb_populate_record(t, jsonb_build_object('process_instance_id', {first} + n,"
    " 'id', {id}, 'business_key', 'k' || n))).* FROM `{table}` AS t CROSS JOIN generate_series({low}, {high}) AS n"
    " WHERE t.`process_instance_id` = {first}"
)


@pytest.fixture(scope="module")
def uncounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with bare("postgresql", tmp_path_factory.mktemp("store")) as url:
        with Engine(url) as engine:
            engine.deploy(ORDER)
            first = engine.start(key="order", name="first").process_instance_id
        with closing(Store(url)) as store:
            tables = {"process_instance": "gen_random_uuid()", "token": "t.`id`", "wait": "0"}
            for table in tables:
                store.execute(f"ALTER TABLE `{table}` SET (autovacuum_enabled = false)")
            for low in range(1, MANY, AT_ONCE):
                for table, own in tables.items():
                    store.execute(COPY.format(table=table, first=first, id=own, low=low, high=low + AT_ONCE - 1))
            yield store


@pytest.mark.slow
@pytest.mark.parametrize(
    "wanted",
    [
        ReceiverFilter("paid"),
        ReceiverFilter("paid", correlation="a"),
        ReceiverFilter("paid", business_key="k77"),
        ReceiverFilter("paid", process_instance_id=1_000),
    ],
    ids=["by name", "by correlation", "by business key", "by id"],
)
def test_a_message_is_given_without_reading_all_who_wait(wanted: ReceiverFilter, uncounted: Store) -> None:
    for sql, values in (wanted.page((0, 0), RECEIVERS, "postgresql"), wanted.any):
        ((told,),) = uncounted.read(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", values)
        (plan,) = told if isinstance(told, list) else json.loads(told)
        assert sum(_rows(plan["Plan"])) <= 10 * RECEIVERS, plan


def _rows(plan: Mapping[str, Any]) -> Iterator[int]:
    """How many rows each part of a plan has read."""
    yield plan["Actual Rows"] * plan["Actual Loops"] + plan.get("Rows Removed by Filter", 0)
    for each in plan.get("Plans", ()):
        yield from _rows(each)
