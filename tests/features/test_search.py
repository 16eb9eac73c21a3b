"""Processes are found by what is known of them: variables, stones, elements, errors and times; in several orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from riverstone.engine import Engine, Invalid, Malformed, ModelInvalid, VirtualClock
from riverstone.engine.clock import moment
from riverstone.models import InstanceFilter

from .sketch import catch, line, service
from .world import World, run

TEMPLATE = [
    {"Key": "region", "Searchable": True, "DefaultValue": "north"},
    {"Key": "count", "Type": "Number", "Searchable": "true", "DefaultValue": 1},
    {"Key": "type", "NameSpace": "a", "Searchable": True, "DefaultValue": "small"},
    {"Key": "note", "DefaultValue": ""},
    {"Key": "password", "NoEcho": True, "DefaultValue": "hunter22"},
]
MODEL = line(
    "shop",
    service("a", "make"),
    '<scriptTask id="s" scriptFormat="groovy"><script/></scriptTask>',
)
PLAIN = line("plain", service("a", "make"), '<userTask id="u" name="Approve"/>', service("b", "shy"))
MESSAGE = '<message id="M" name="moved"/>'
MOVING = line(
    "moving",
    catch("m", '<messageEventDefinition messageRef="M"/>'),
    '<userTask id="u"/>',
    before=MESSAGE,
)


def names(engine: Engine, **wanted: Any) -> list[str]:
    """Names of what is found, each part read by itself to see that none is lost or comes twice."""
    found = in_parts(engine, **wanted)
    whole = engine.search(limit=500, **wanted)
    assert [each.process_name for each in whole.items] == found
    return found


def in_parts(engine: Engine, **wanted: Any) -> list[str]:
    """The same for a list of which no part may be the whole."""
    found: list[str] = []
    page = engine.search(limit=2, **wanted)
    while page.cursor is not None:
        found += [each.process_name for each in page.items]
        page = engine.search(limit=2, cursor=page.cursor, **wanted)
    return [*found, *(each.process_name for each in page.items)]


def test_a_process_is_found_by_what_its_variables_are_now(engine: Engine) -> None:
    engine.deploy(MOVING, parameter_template=TEMPLATE)
    first = engine.start(key="moving", name="1", variables={"region": "south", "count": 2})
    engine.start(key="moving", name="2", variables={"count": "2"})
    engine.start(key="moving", name="3", variables={"count": 2.5, "a": {"type": "large"}})

    assert names(engine, variables={"region": "north"}) == ["3", "2"]
    assert names(engine, variables={"count": 2}) == ["2", "1"]
    assert names(engine, variables={"count": 2.0, "region": "south"}) == ["1"]
    assert names(engine, variables={"count": "2.5"}) == ["3"]
    assert names(engine, variables={"a.type": "large"}) == ["3"]
    assert names(engine, variables={"note": ""}) == [], "it is not declared"

    engine.message("moved", {"region": "west"}, process_instance_id=first.process_instance_id)
    assert names(engine, variables={"region": "south"}) == []
    assert names(engine, variables={"region": "west"}) == ["1"]
    engine.set_variables(first.process_instance_id, {"region": None, "count": 7})
    assert names(engine, variables={"region": "west"}) == []
    assert names(engine, variables={"count": 7}) == ["1"]

    engine.cancel(first.process_instance_id)
    engine.wait(first.process_instance_id, 3600)
    engine.delete(first.process_instance_id)
    engine.wait(first.process_instance_id, 3600)
    assert names(engine, variables={"count": 7}, kind="start") == ["1"]
    engine.purge(0)
    assert names(engine, variables={"count": 7}) == []
    assert engine._store.read("SELECT COUNT(*) FROM `variable` WHERE `name` = 'count'") == [(2,)]


def test_a_value_that_is_set_twice_in_a_step_or_in_another_engine_is_there_once(
    url: str, world: World, clock: VirtualClock
) -> None:
    with Engine(url, stones=world.stones(), clock=clock) as one, Engine(url, stones=world.stones()) as other:
        one.deploy(MOVING, parameter_template=TEMPLATE)
        number = one.start(key="moving", name="1").process_instance_id
        other.set_variables(number, {"region": "east"})
        one.set_variables(number, {"region": "south"})
        other.message("moved", {"region": "west"}, process_instance_id=number)
        assert [names(one, variables={"region": each}) for each in ("east", "south", "west")] == [[], [], ["1"]]


def test_an_encrypted_store_finds_a_value_and_an_error_too(url: str, world: World) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    with Engine(url, stones=world.stones(), encryption_keys=[old]) as engine:
        engine.deploy(MOVING, parameter_template=TEMPLATE)
        engine.deploy(PLAIN)
        engine.start(key="moving", name="1", variables={"region": "south"})
        world.wrong("start", "a", RuntimeError("No Quota left"))
        run(engine, "plain", rollback=False)
        assert names(engine, variables={"region": "south"}) == ["1"]
        assert names(engine, error="no quota", kind="start") == ["test"]
        assert names(engine, error="no money") == []
        assert b"south" not in str(engine._store.read("SELECT * FROM `variable`")).encode()
    with Engine(url, stones=world.stones(), encryption_keys=[new, old]) as engine:
        assert names(engine, variables={"region": "south"}) == ["1"]
        engine.encrypt_again()
    with Engine(url, stones=world.stones(), encryption_keys=[new]) as engine:
        assert names(engine, variables={"region": "south"}) == ["1"]


def test_a_process_is_found_by_stone_element_business_key_and_key(engine: Engine, world: World) -> None:
    engine.deploy(PLAIN)
    engine.deploy(MOVING)
    engine.start(key="plain", name="1", business_key="B")
    second = engine.start(key="plain", name="2")
    engine.start(key="moving", name="3", business_key="B")
    (task,) = [each for each in engine.tasks(second.process_instance_id) if each.stone is None]
    engine.complete(task.task_id)

    assert names(engine, stone="make") == ["2", "1"]
    assert names(engine, stone="shy") == ["2"]
    assert names(engine, stone="mail") == []
    assert names(engine, element="u") == ["1"]
    assert names(engine, element="m") == ["3"]
    assert names(engine, element="a") == []
    assert names(engine, element="%") == []
    assert names(engine, business_key="B") == ["3", "1"]
    assert names(engine, business_key="B", key="plain", state="person", stone="make", element="u") == ["1"]


def test_a_process_is_found_by_what_is_told_of_its_failure(engine: Engine, world: World) -> None:
    engine.deploy(PLAIN, parameter_template=TEMPLATE)
    world.wrong("start", "a", RuntimeError("The QUOTA of 5% is used up, says hunter22"))
    run(engine, "plain")
    world.wrong("start", "a", RuntimeError("no answer"))
    paused = engine.start(key="plain", name="paused", on_failure="pause")
    engine.wait(paused.process_instance_id, 3600)
    stuck = engine.start(key="plain", name="stuck")
    engine.cancel(stuck.process_instance_id)
    engine.wait(stuck.process_instance_id, 3600)
    made = engine.start(key="plain", name="made")
    world.wrong("cancel", "a", RuntimeError("still in use"))
    engine.cancel(made.process_instance_id)
    engine.wait(made.process_instance_id, 3600)

    assert names(engine, error="quota", kind="start") == ["test"]
    assert names(engine, error="of 5%", kind="start") == ["test"]
    assert names(engine, error="no answer", kind="start") == ["paused"]
    assert names(engine, error="still in use", kind="start") == ["made"]
    assert names(engine, error="no answer", state="attention") == ["paused"]
    assert names(engine, error="no answer", state="success") == []
    assert names(engine, error="hunter") == [], "nobody finds out a secret by asking for parts of it"
    for shown in ("*****", "says *****", "up, says **"):
        assert names(engine, error=shown, kind="start") == ["test"], "what is hidden is found as it is shown"
    for text in ("q***a", "says ******", "***** says", "hunter*"):
        assert names(engine, error=text) == [], "a star stands for a star alone"


def test_what_is_purged_while_it_is_listed_shows_no_secret(engine: Engine, world: World) -> None:
    engine.deploy(PLAIN, parameter_template=TEMPLATE)
    world.wrong("start", "a", RuntimeError("refused, says hunter22"))
    run(engine, "plain", rollback=False)
    told = [each.reason or "" for each in engine.search(state="failed").items]
    assert [text for text in told if "*****" in text]
    # As a list finds it that has read the row before the purge.
    engine._store.execute("DELETE FROM `content`")
    assert engine.search(state="failed").items == ()
    assert names(engine, error="hunter") == []


def test_times_narrow_a_list_and_put_it_in_order(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(MOVING)
    begun = moment(clock.now())
    first = engine.start(key="moving", name="1")
    for number in range(2, 7):
        clock.advance(3600)
        engine.start(key="moving", name=str(number))
    clock.advance(3600)
    engine.cancel(first.process_instance_id)
    engine.wait(first.process_instance_id, 3600)
    hour = timedelta(hours=1)

    assert names(engine, kind="start", sort="started") == ["6", "5", "4", "3", "2", "1"]
    assert names(engine, kind="start", started_from=begun + hour, started_before=begun + 3 * hour) == ["3", "2"]
    assert names(engine, kind="start", started_from=begun + 4 * hour, sort="started") == ["6", "5"]
    assert names(engine, kind="start", sort="ended") == ["1"]
    assert names(engine, kind="start", ended_from=begun + 6 * hour) == ["1"]
    assert names(engine, kind="start", ended_before=begun + 6 * hour) == []
    part = engine.search(kind="start", limit=2)
    assert [each.process_name for each in engine.search(kind="start", sort="started", cursor=part.cursor).items] == [
        *"4321"
    ]
    other = engine.search(kind="start", limit=4, sort="started")
    assert [each.process_name for each in engine.search(kind="start", cursor=other.cursor).items] == ["2", "1"]
    assert engine.search(sort="ended", cursor="77777").items == ()
    with pytest.raises(Malformed):
        engine.search(cursor="7-7-7")


def test_more_than_a_few_are_found_in_their_order_too(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riverstone.models.search.instance_places.FEW", 2)
    engine.deploy(MOVING, parameter_template=TEMPLATE)
    engine.deploy(PLAIN)
    for number in range(1, 8):
        engine.start(key="moving", name=str(number), variables={"region": "south" if number % 2 else "north"})
    engine.start(key="plain", name="8")

    assert names(engine, variables={"region": "south"}) == ["7", "5", "3", "1"]
    assert names(engine, variables={"region": "south", "count": 1}) == ["7", "5", "3", "1"]
    assert names(engine, variables={"region": "south"}, sort="started") == ["7", "5", "3", "1"]
    assert names(engine, element="m", sort="started") == ["7", "6", "5", "4", "3", "2", "1"]
    assert names(engine, stone="make", state="person") == ["8"]


def test_what_few_have_is_sought_a_piece_of_the_list_at_a_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("instance_places.FEW", "instance_search.FEW", "pieces.PIECE"):
        monkeypatch.setattr(f"riverstone.models.search.{name}", 1)
    engine.deploy(MOVING)
    engine.deploy(PLAIN)
    begun = [engine.start(key=key, name=key) for key in ("moving", "plain", "plain", "moving", "plain", "plain")]

    page = engine.search(element="m")
    assert (page.items, page.cursor) == ((), begun[4].process_instance_id), "nobody waits for all to be looked at"
    assert in_parts(engine, element="m") == ["moving"] * 2
    assert in_parts(engine, element="m", sort="started") == ["moving"] * 2
    assert in_parts(engine, stone="make", state="person", key="plain") == ["plain"] * 4
    listed: list[str] = []
    part = engine.instances(key="moving", name="moving", status="running", limit=1)
    while part.cursor is not None:
        listed += [each.process_instance_id for each in part.items]
        part = engine.instances(key="moving", name="moving", status="running", limit=1, cursor=part.cursor)
    assert [*listed, *(each.process_instance_id for each in part.items)] == [
        each.process_instance_id for each in (begun[3], begun[0])
    ]


def test_a_text_that_many_have_is_found_in_the_order_of_their_ends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("instance_places.FEW", "text_search.FEW", "text_search.MOST_FOUND"):
        monkeypatch.setattr(f"riverstone.models.search.{name}", 1)
    monkeypatch.setattr("riverstone.models.search.pieces.PIECE", 3)
    engine.deploy(line("ask", '<userTask id="u"/>'))
    begun = [engine.start(key="ask", name="all") for _ in range(9)]
    assert names(engine, text="all", sort="ended", kind="start") == []
    for each in begun[2:6]:
        engine.complete(engine.tasks(each.process_instance_id)[0].task_id)
        engine.wait(each.process_instance_id)

    assert len(names(engine, text="all", sort="ended", kind="start")) == 4


def test_what_cannot_be_searched_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid) as refused:
        engine.search(
            variables={"region": ["north"], "count": None, "far": float("inf"), "half": "\ud800", "raw": b"x"}
        )
    assert refused.value.code == "search-invalid"
    assert sorted(refused.value.errors) == ["count", "far", "half", "raw", "region"]
    for wrong in ({"NoEcho": True}, {"Type": "List"}):
        with pytest.raises((Invalid, ModelInvalid), match="Searchable is for a single value"):
            engine.deploy(PLAIN, parameter_template=[{"Key": "k", "Searchable": True, **wrong}])


NAMED = (
    ("new volume in Beijing", "ORD-2024-7"),
    ("创建云硬盘", "ORD-2024-70"),
    ("Ärger mit dem Server", None),
    ("app_server: step 12", "k/1"),
)


@pytest.fixture(params=["few", "many", "wide"])
def searched(request: pytest.FixtureRequest, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Four processes: fewer than are counted, or taken for so many that the newest two alone are sought through."""
    if request.param != "few":
        monkeypatch.setattr("riverstone.models.search.instance_places.FEW", 0)
        monkeypatch.setattr("riverstone.models.search.text_search.FEW", 0)
        monkeypatch.setattr("riverstone.models.search.text_search.NEWEST", 2)
        monkeypatch.setattr("riverstone.models.search.pieces.PIECE", 2)
    if request.param == "wide":
        monkeypatch.setattr("riverstone.models.search.text_search.MOST_FOUND", 1)
    engine.deploy(MOVING)
    for name, business_key in NAMED:
        engine.start(key="moving", name=name, business_key=business_key)
    return engine


TEXTS: dict[str, list[int]] = {
    "beijing": [0],
    "Beij": [0],
    "in volume": [0],
    "ord-2024-7": [1, 0],
    "2024 创建": [1],
    "硬盘": [1],
    "云硬": [1],
    "ärger": [2],
    "SERVER": [3, 2],
    "server 12": [3],
    "k/1": [3],
    "step_": [],
    "%": [],
    "!": [],
    "movin": [3, 2, 1, 0],
    "nothing": [],
}


def test_a_text_finds_words_and_their_beginnings_among_any_number_of_processes(searched: Engine) -> None:
    for text, numbers in TEXTS.items():
        wanted = [NAMED[number][0] for number in numbers]
        assert names(searched, text=text) == wanted, text
        assert names(searched, text=text, sort="started") == wanted, text
        assert names(searched, text=text, state="canceled") == [], text
    last = searched.search(limit=1).items[0].process_instance_id
    assert NAMED[3][0] in names(searched, text=last)


def test_it_is_told_where_the_inside_of_words_was_left_out(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riverstone.models.search.text_search.NEWEST", 2)
    engine.deploy(MOVING)
    begun = [engine.start(key="moving", name=name, business_key=key) for name, key in NAMED]

    page = engine.search(text="e")
    assert [each.process_name for each in page.items] == [NAMED[3][0], NAMED[2][0]], "the first is too old"
    assert page.inside_words_from == begun[2].process_instance_id
    assert engine.search(text="eijing", business_key="ORD-2024-7").inside_words_from is None
    assert names(engine, text="eijing", business_key="ORD-2024-7") == [NAMED[0][0]]
    assert engine.search(text="eijing").items == ()
    found = engine._lists.found(InstanceFilter(text="eijing"), most=9)
    assert [row.name for row in found] == [NAMED[0][0]], "what a batch acts upon is sought in all"


def test_what_is_forgotten_and_its_undo_leave_no_words(engine: Engine) -> None:
    engine.deploy(MOVING)
    first = engine.start(key="moving", name=NAMED[0][0], business_key="B-1").process_instance_id
    engine.start(key="moving", name="stays")
    engine.cancel(first)
    engine.wait(first, 3600)
    undo = engine.get(first).cancel_process_instance_id
    assert undo is not None
    assert [each.process_instance_id for each in engine.search(text=f"cancel-{undo}").items] == [undo]
    assert names(engine, text="beijing", kind="start") == [NAMED[0][0]]
    engine.purge(0)
    assert engine._store.read("SELECT `word` FROM `word`") == [("stays",)]


def test_a_word_that_is_none_of_the_vocabulary_is_refused_and_never_reaches_the_database(engine: Engine) -> None:
    searches: list[tuple[dict[str, Any], str]] = [
        ({"state": "faild"}, "state"),
        ({"sort": "id` DESC --"}, "sort"),
        ({"kind": "undo"}, "kind"),
        ({"statuses": ["success", "done"]}, "statuses"),
    ]
    for asked, name in searches:
        with pytest.raises(Invalid, match="Must be one of") as caught:
            engine.search(**asked)
        assert (caught.value.code, [*caught.value.errors]) == ("search-invalid", [name])
    with pytest.raises(Invalid, match="status: Must be one of"):
        engine.instances(status="done")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="sort: Must be one of created"):
        engine.people.inbox(sort="newest")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="state: Must be one of"):
        engine.batch("cancel", where={"state": "faild"})


@pytest.mark.parametrize(
    "ask",
    [
        lambda engine, text: engine.search(key=text),
        lambda engine, text: engine.instances(key=text),
        lambda engine, text: engine.counts(key=text),
        lambda engine, text: engine.suspend_stone(text),
        lambda engine, text: engine.message(text),
        lambda engine, text: engine.signal(text),
    ],
)
def test_a_text_that_no_database_can_hold_is_refused_as_that(engine: Engine, ask: Any) -> None:
    with pytest.raises(Invalid) as refused:
        ask(engine, "\ud800")
    assert refused.value.code == "text-not-storable"
