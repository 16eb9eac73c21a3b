"""Whose the tasks of people are: who sees one, takes it, hands it on, and does it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, ModelInvalid, UnknownTask, VirtualClock
from riverstone.engine.errors import NotAllowed
from riverstone.engine.person import Person
from riverstone.engine.views.people import UserTask

from .sketch import line

ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
FLOWABLE = 'xmlns:flowable="http://flowable.org/bpmn"'
ALICE = Person(user="alice", groups=frozenset({"sales", "staff"}))
BOB = Person(user="bob", groups=frozenset({"sales"}))
CAROL = Person(user="carol", groups=frozenset({"law"}))
BOSS = Person(user="boss", sees_all=True, is_admin=True)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1_800_000_000_000)


@pytest.fixture
def engine(sqlite: str, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(sqlite, clock=clock) as engine:
        yield engine


def deploy(engine: Engine, *tasks: str, key: str = "p") -> None:
    engine.deploy(line(key, *tasks).replace(b"<definitions", f"<definitions {ZEEBE} {FLOWABLE}".encode(), 1))


def begin(engine: Engine, *tasks: str, owner: str | None = None, **variables: Any) -> str:
    """The id of the first task of a process of these."""
    deploy(engine, *tasks)
    number = engine.start(key="p", name="an order", variables=variables, owner=owner).process_instance_id
    return next(task.task_id for task in engine.tasks(number))


def names(found: list[UserTask] | tuple[UserTask, ...]) -> list[str]:
    return [task.task_id for task in found]


OF_SALES = '<userTask id="ask" name="Ask" camunda:candidateGroups="sales"/>'

SAID = {
    "camunda": '<userTask id="a" camunda:assignee="${who}" camunda:candidateUsers="x, ${more}"'
    ' camunda:candidateGroups="${groups}" camunda:dueDate="P1D" camunda:followUpDate="${later}"'
    ' camunda:priority="${rank}"/>',
    "flowable": '<userTask id="a" flowable:assignee="${who}" flowable:candidateUsers="x,${more}"'
    ' flowable:candidateGroups="${groups}" flowable:dueDate="PT24H" flowable:priority="7"/>',
    "zeebe": '<userTask id="a"><extensionElements><zeebe:assignmentDefinition assignee="=who" candidateUsers='
    '"=append([&quot;x&quot;], more)" candidateGroups="=groups"/>'
    '<zeebe:taskSchedule dueDate="=due" followUpDate="=later"/>'
    '<zeebe:priorityDefinition priority="=rank"/></extensionElements></userTask>',
}


@pytest.mark.parametrize("dialect", SAID)
def test_people_and_dates_come_from_the_model(engine: Engine, dialect: str) -> None:
    values: dict[str, Any] = {
        "who": "ann",
        "more": "y",
        "groups": ["g1", "g2"],
        "later": "2027-01-15T09:00:00Z",
        "due": "2027-01-16T08:00:00Z",
        "rank": 7,
    }
    task = engine.people.task(begin(engine, SAID[dialect], **values))
    assert (task.assignee, task.users, task.groups, task.priority) == ("ann", ("x", "y"), ("g1", "g2"), 7)
    assert task.due == datetime(2027, 1, 16, 8, tzinfo=UTC)
    assert task.follow_up == (None if dialect == "flowable" else datetime(2027, 1, 15, 9, tzinfo=UTC))


def test_the_roles_of_bpmn_itself_name_people(engine: Engine) -> None:
    text = "<resourceAssignmentExpression><formalExpression>{}</formalExpression></resourceAssignmentExpression>"
    performer = f"<humanPerformer>{text.format('kim')}</humanPerformer>"
    owner = f"<potentialOwner>{text.format('user(lee), group(law), staff')}</potentialOwner>"
    task = engine.people.task(begin(engine, f'<userTask id="a">{performer}{owner}</userTask>'))
    assert (task.assignee, task.users, task.groups) == ("kim", ("lee",), ("law", "staff"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('camunda:assignee="${who}"', "The assignee is 7"),
        ('camunda:dueDate="${when}"', "not an ISO 8601 date"),
        ('camunda:dueDate="${first}"', "not an ISO 8601 date"),
        ('camunda:priority="high"', "The priority is 'high'"),
        ('camunda:priority="--5"', "The priority is '--5'"),
        ('camunda:candidateGroups="${missing}"', "finds nothing"),
    ],
)
def test_what_names_nobody_fails_at_its_task_and_says_so(engine: Engine, said: str, told: str) -> None:
    deploy(engine, f'<userTask id="a" name="Ask" {said}/>')
    variables = {"who": 7, "when": "tomorrow", "first": "0001-01-01T00:00:00+14:00"}
    found = engine.get(engine.start(key="p", name="x", variables=variables, rollback=False).process_instance_id)
    assert found.status == "failed"
    assert told in (found.reason or "")


def test_a_task_that_is_due_in_the_first_year_of_the_calendar_hides_no_list(engine: Engine) -> None:
    """In another zone it was due before that year, and whoever saw the task saw no task any more."""
    task = begin(engine, '<userTask id="a"/>')
    engine.people.schedule(task, BOSS, due=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
    assert names(engine.people.inbox(BOSS).items) == [task]
    assert engine.people.task(task).due is not None


def test_a_candidate_takes_a_task_and_does_it(engine: Engine) -> None:
    task = begin(engine, OF_SALES)
    assert names(engine.people.inbox(ALICE).items) == names(engine.people.inbox(BOB).items) == [task]
    assert engine.people.inbox(CAROL).items == ()
    assert engine.people.claim(task, ALICE).assignee == "alice"
    assert engine.people.claim(task, ALICE).assignee == "alice"
    assert names(engine.people.inbox(ALICE, assignee="alice").items) == [task]
    assert engine.people.inbox(BOB, groups=["sales"], assigned=False).items == ()
    with pytest.raises(Conflict, match="taken by 'alice'") as taken:
        engine.people.claim(task, BOB)
    assert taken.value.code == "task-claimed"
    with pytest.raises(Conflict) as taken:
        engine.people.complete(task, {}, BOB)
    assert taken.value.code == "task-claimed"
    done = engine.people.complete(task, {"price": 3}, ALICE)
    assert (done.done_by, done.ended is not None) == ("alice", True)
    assert engine.get(done.process_instance_id).status == "success"
    assert engine.people.inbox(ALICE).items == ()
    assert engine.people.task(task, BOB).done_by == "alice"
    with pytest.raises(Conflict, match="was done by 'alice'") as ended:
        engine.people.complete(task, {}, BOB)
    assert ended.value.code == "task-ended"


def test_who_is_not_named_sees_nothing_of_a_task(engine: Engine) -> None:
    task = begin(engine, OF_SALES, owner="shop")
    stranger = Person(user="alice", groups=frozenset({"law"}), owner="key:alice")
    for ask in (engine.people.task, engine.people.claim, engine.people.release):
        with pytest.raises(UnknownTask):
            ask(task, stranger)
    with pytest.raises(UnknownTask):
        engine.people.complete(task, {}, stranger)
    with pytest.raises(UnknownTask):
        engine.people.assign(task, "alice", stranger)


def test_who_sees_the_process_and_is_not_named_may_not_do_its_task(engine: Engine) -> None:
    task = begin(engine, OF_SALES, owner="shop")
    clerk = Person(user="dora", owner="shop")
    assert names(engine.people.inbox(clerk).items) == [task]
    for refused in (engine.people.claim, engine.people.release):
        with pytest.raises(NotAllowed):
            refused(task, clerk)
    with pytest.raises(NotAllowed):
        engine.people.complete(task, {}, clerk)
    program = Person(user="key:shop", owner="shop", is_program=True)
    assert engine.people.assign(task, "erin", program).assignee == "erin"
    assert engine.people.complete(task, {}, program).done_by == "key:shop"


def test_a_task_that_names_nobody_is_for_all_who_see_its_process(engine: Engine) -> None:
    task = begin(engine, '<userTask id="ask"/>', owner="shop")
    clerk = Person(user="dora", owner="shop")
    assert engine.people.inbox(ALICE).items == ()
    assert engine.people.claim(task, clerk).assignee == "dora"
    assert engine.people.complete(task, {}, clerk).done_by == "dora"


def test_a_task_is_given_back_handed_on_and_given_back(engine: Engine) -> None:
    task = begin(engine, OF_SALES)
    people = engine.people
    people.claim(task, ALICE)
    assert people.release(task, ALICE).assignee is None
    people.claim(task, ALICE)
    assert (people.delegate(task, "carol", ALICE).assignee, people.task(task).delegated_by) == ("carol", "alice")
    assert names(people.inbox(CAROL, assignee="carol").items) == [task]
    assert people.task(task, ALICE).assignee == "carol"
    with pytest.raises(NotAllowed):
        people.delegate(task, "bob", BOB)
    people.delegate(task, "dora", CAROL)
    back = people.release(task, Person(user="dora"))
    assert (back.assignee, back.delegated_by) == ("alice", None)
    with pytest.raises(UnknownTask):
        people.task(task, CAROL)
    with pytest.raises(NotAllowed):
        people.assign(task, "bob", ALICE)
    assert people.assign(task, "bob", BOSS).assignee == "bob"
    with pytest.raises(Invalid, match="is no name"):
        people.assign(task, " ", BOSS)


def test_who_has_a_task_or_oversees_it_says_when_it_is_due_and_how_it_ranks(engine: Engine) -> None:
    people = engine.people
    task, other = begin(engine, OF_SALES), begin(engine, OF_SALES)
    with pytest.raises(NotAllowed, match="whoever has it says when it is due"):
        people.schedule(task, ALICE, priority=90)
    people.claim(task, ALICE)
    due, later = datetime(2027, 2, 1, 17, tzinfo=UTC), datetime(2027, 1, 20, tzinfo=UTC)
    changed = people.schedule(task, ALICE, due=due, follow_up=later)
    assert (changed.due, changed.follow_up, changed.priority) == (due, later, 50)
    assert people.schedule(task, BOSS, priority=90).priority == 90
    assert names(people.inbox(BOSS, sort="priority").items) == [task, other]
    assert names(people.inbox(BOSS, sort="due", due_before=datetime(2027, 2, 2, tzinfo=UTC)).items) == [task]
    assert people.schedule(task, ALICE, due=None).due is None
    assert people.task(task).follow_up == later
    with pytest.raises(NotAllowed):
        people.schedule(task, BOB, due=None)
    with pytest.raises(UnknownTask):
        people.schedule(task, CAROL, due=None)
    for wrong in (10**9, True, 1.5, "high"):
        with pytest.raises(Invalid):
            people.schedule(task, ALICE, priority=wrong)  # type: ignore[arg-type]

    told = [each for each in engine.history(people.task(task).process_instance_id).items if each.action == "schedule"]
    assert [(each.who, each.variables) for each in told] == [
        ("alice", {"due": "2027-02-01T17:00:00+00:00", "follow_up": "2027-01-20T00:00:00+00:00"}),
        ("boss", {"priority": 90}),
        ("alice", {"due": None}),
    ]
    people.complete(task, {}, ALICE)
    with pytest.raises(Conflict) as ended:
        people.schedule(task, ALICE, priority=1)
    assert ended.value.code == "task-ended"


def test_the_lists_of_somebody_are_counted_up_to_a_hundred(engine: Engine) -> None:
    deploy(engine, OF_SALES)
    numbers = [engine.start(key="p", name="x", variables={}).process_instance_id for _ in range(103)]
    engine.people.claim(engine.tasks(numbers[0])[0].task_id, ALICE)
    for person, expected in ((ALICE, (1, 100, 100)), (CAROL, (0, 0, 0)), (BOSS, (0, 0, 100))):
        found = engine.people.counts(person)
        assert (found.mine, found.groups, found.all) == expected
    assert engine.people.counts().all == 100


FOUR_EYES = (
    '<userTask id="first" name="Draft" camunda:candidateGroups="sales"/>',
    '<userTask id="second" name="Check" camunda:candidateGroups="sales"><extensionElements><camunda:properties>'
    '<camunda:property name="not" value="starter, first"/></camunda:properties></extensionElements></userTask>',
)


def test_four_eyes_whoever_drafted_does_not_check(engine: Engine) -> None:
    first = begin(engine, *FOUR_EYES)
    number = engine.people.complete(first, {}, ALICE).process_instance_id
    second = engine.tasks(number)[-1].task_id
    for refused in (engine.people.claim, lambda task, person: engine.people.complete(task, {}, person)):
        with pytest.raises(NotAllowed, match="did the task 'Draft'") as told:
            refused(second, ALICE)
        assert told.value.code == "four-eyes"
    with pytest.raises(Invalid, match="did the task 'Draft'"):
        engine.people.assign(second, "alice", BOSS)
    assert engine.people.complete(second, {}, BOB).done_by == "bob"


def test_a_rule_about_a_task_that_is_none_is_refused(engine: Engine) -> None:
    with pytest.raises(ModelInvalid, match="'first', which is no other user task"):
        deploy(engine, FOUR_EYES[1])


def test_what_people_did_is_in_the_history(engine: Engine) -> None:
    task = begin(engine, OF_SALES)
    engine.people.claim(task, ALICE)
    engine.people.delegate(task, "bob", ALICE)
    number = engine.people.complete(task, {"price": 1}, BOB).process_instance_id
    told = [(each.action, each.who, each.assignee) for each in engine.history(number).items if each.kind == "action"]
    assert told == [("claim", "alice", None), ("delegate", "alice", "bob"), ("complete", "bob", None)]


def test_inboxes_have_pages_in_three_orders(engine: Engine, clock: VirtualClock) -> None:
    deploy(
        engine,
        '<userTask id="ask" name="Ask" camunda:candidateGroups="sales,staff" camunda:dueDate="${due}"'
        ' camunda:priority="${rank}"/>',
    )
    made: list[tuple[str, str, int]] = []
    for number in range(12):
        due, rank = f"PT{1 + number % 4}H", 10 + number % 3
        process = engine.start(key="p", name=f"order {number}", variables={"due": due, "rank": rank})
        made.append((engine.tasks(process.process_instance_id)[0].task_id, due, rank))

    def all_pages(**asked: object) -> list[str]:
        found, cursor, pages = list[str](), None, 0
        while pages == 0 or cursor is not None:
            page = engine.people.inbox(ALICE, limit=5, cursor=cursor, **asked)  # type: ignore[arg-type]
            found, cursor, pages = [*found, *names(page.items)], page.cursor, pages + 1
        assert pages >= 3
        return found

    newest = [task for task, _, _ in reversed(made)]
    assert all_pages() == all_pages(groups=["staff", "sales"]) == newest
    assert all_pages(sort="due") == [task for task, _, _ in sorted(made, key=lambda each: (each[1], int(each[0])))]
    assert all_pages(sort="priority") == [
        task for task, _, _ in sorted(made, key=lambda each: (-each[2], int(each[0])))
    ]
    assert names(engine.people.inbox(ALICE, text="ORDER 7").items) == [made[7][0]]
    assert engine.people.inbox(ALICE, key="other").items == ()
    soon = datetime.fromtimestamp(clock.now() / 1000 + 3601, UTC)
    assert {*names(engine.people.inbox(ALICE, due_before=soon).items)} == {made[0][0], made[4][0], made[8][0]}


def test_tasks_of_a_process_that_is_stopped_are_in_no_inbox(engine: Engine) -> None:
    task = begin(engine, OF_SALES)
    engine.cancel(engine.people.task(task).process_instance_id)
    assert engine.people.inbox(ALICE).items == ()
    with pytest.raises(Conflict, match="has ended"):
        engine.people.claim(task, ALICE)
    assert engine._store.read("SELECT COUNT(*) FROM `inbox`") == [(0,)]


def test_what_people_had_goes_with_its_process(engine: Engine, clock: VirtualClock) -> None:
    task = begin(engine, OF_SALES)
    engine.people.complete(task, {}, ALICE)
    clock.advance(40 * 86_400)
    assert engine.purge(30 * 86_400, even_undeleted=True) == 1
    assert engine._store.read("SELECT COUNT(*) FROM `user_task`") == [(0,)]
    with pytest.raises(UnknownTask):
        engine.people.task(task)
