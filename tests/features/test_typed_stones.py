"""A stone that declares what it takes and puts out by a class: hooks get an instance, all else sees fields."""

from __future__ import annotations

import datetime
import decimal
import enum
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import pytest
from marshmallow import fields, validate

from riverstone.engine import Engine, Invalid, Stone, TaskInfo
from riverstone.engine.ready import CommandStone
from riverstone.engine.stones import remote
from riverstone.engine.testkit import check_stone

from .sketch import line, service

pydantic = pytest.importorskip("pydantic")


class Speed(enum.StrEnum):
    """How quick a volume is."""

    SLOW = "slow"
    FAST = "fast"


@dataclass(frozen=True)
class Place:
    """Where it is."""

    region: str
    zone: str | None = None


@dataclass(frozen=True)
class VolumeParameters:
    """What a volume is made of."""

    instanceCode: str = field(metadata={"display_name": "Instance", "visible": True})
    place: Place
    password: str = field(metadata={"no_echo": True, "variable": False})
    size: int = 10
    kind: Literal["ssd", "disk"] = "ssd"
    speed: Speed = Speed.SLOW
    until: datetime.date | None = None
    price: decimal.Decimal = decimal.Decimal("1.50")
    tags: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.size > 100 and self.kind == "ssd":
            raise ValueError("an SSD has 100 GB at most")


@dataclass
class VolumeOutputs:
    """What it has become."""

    volumeId: str = field(metadata={"description": "its id"})
    made: datetime.date
    key: str = field(default="", metadata={"no_echo": True})


class Volume(Stone):
    """A volume."""

    code = "typed::Volume"
    parameters = VolumeParameters
    outputs = VolumeOutputs

    def start(self, task: TaskInfo[VolumeParameters]) -> VolumeOutputs:
        given = task.parameters
        # A type checker knows all of this: assigning it elsewhere would be an error.
        size: int = given.size + 1
        zone: str = given.place.zone or "none"
        task.log(f"{given!r} {size} {zone}".replace(given.password, "?"))
        made = given.until or datetime.date(2020, 1, 2)
        return VolumeOutputs(volumeId=f"{given.instanceCode}-{given.speed.value}", made=made, key=given.password)

    def delete(self, task: TaskInfo[VolumeParameters]) -> None:
        task.log(f"removed of {task.parameters.place.region} at {task.parameters.price + 1}")


class Plain(Stone):
    """A volume."""

    code = "typed::Volume"
    parameters = {
        "instanceCode": fields.String(required=True, metadata={"display_name": "Instance", "visible": True}),
        "place": fields.Nested({"region": fields.String(required=True), "zone": fields.String(load_default=None)}),
        "password": fields.String(required=True, metadata={"no_echo": True, "variable": False}),
        "size": fields.Integer(load_default=10),
        "kind": fields.String(load_default="ssd", validate=validate.OneOf(("ssd", "disk"))),
        "speed": fields.Enum(Speed, by_value=True, load_default=Speed.SLOW, metadata={"allowed_values": [*Speed]}),
        "until": fields.Date(load_default=None),
        "price": fields.Decimal(as_string=True, load_default=decimal.Decimal("1.50")),
        "tags": fields.List(fields.String(), load_default=list),
        "extra": fields.Dict(load_default=dict),
    }
    outputs = {"volumeId": "its id", "made": "", "key": ""}
    secret_outputs = frozenset({"key"})

    def start(self, task: TaskInfo) -> None:
        """As it is."""

    def delete(self, task: TaskInfo) -> None:
        """Too."""


GIVEN = {"instanceCode": "i-1", "place": {"region": "here"}, "typed::Volume": {"password": "hunter2"}, "speed": "fast"}


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_hooks_get_an_instance_and_return_one(sqlite: str, dispatcher: Any) -> None:
    with Engine(sqlite, stones=[Volume], dispatcher=dispatcher) as engine:
        engine.deploy(line("p", service("a", "typed::Volume"), service("b", "typed::Volume", {"until": "2030-02-03"})))
        number = engine.start(key="p", name="x", variables=GIVEN).process_instance_id
        ended = engine.wait(number, 60)
        assert ended.status == "success", ended.reason
        first, second = engine.tasks(number)
        assert first.outputs == {"volumeId": "i-1-fast", "made": "2020-01-02", "key": "*****"}
        assert second.outputs["made"] == "2030-02-03"
        assert first.parameters["price"] == "1.50"
        assert first.parameters["password"] == "*****"
        assert "place=Place(region='here', zone=None)" in first.log[0]
        assert "speed=<Speed.FAST: 'fast'>" in first.log[0]
    # Another engine undoes it: from the ledger alone it makes the same instance.
    with Engine(sqlite, stones=[Volume], dispatcher=dispatcher) as engine:
        undo = engine.delete(number).delete_process_instance_id or ""
        assert engine.wait(number, 60).status == "delete.success"
        assert [task.log for task in engine.tasks(undo)] == [("removed of here at 2.50",)] * 2


def test_what_does_not_fit_fails_before_the_hook_with_the_name_of_the_parameter(sqlite: str) -> None:
    with Engine(sqlite, stones=[Volume]) as engine:
        engine.deploy(line("p", service("a", "typed::Volume")))
        for more, said in (
            ({"place": {}}, "place.region"),
            ({"speed": "quick"}, "'speed'"),
            ({"kind": "tape"}, "'kind'"),
            ({"size": 500}, "an SSD has 100 GB at most"),
        ):
            number = engine.start(key="p", name="x", variables={**GIVEN, **more}).process_instance_id
            (task,) = engine.tasks(number)
            assert task.status == "produce.failed"
            assert said in (task.reason or "")


def test_there_is_one_declaration_whoever_has_written_it() -> None:
    with Engine("sqlite:///:memory:", stones=[Volume]) as typed, Engine("sqlite:///:memory:", stones=[Plain]) as plain:
        ours, theirs = typed.stones_declared(), plain.stones_declared()
    assert [each.required for each in ours[0].parameters] == [True, True, True] + [False] * 7
    assert ours[0].outputs == theirs[0].outputs
    differing = [
        (one, other) for one, other in zip(ours[0].parameters, theirs[0].parameters, strict=True) if one != other
    ]
    # Nobody said of that one that it is required.
    assert [one.name for one, _ in differing] == ["place"]
    assert remote.declared(Volume)["outputs"] == {"volumeId": "its id", "made": "", "key": ""}


def test_lint_knows_a_typed_stone(sqlite: str) -> None:
    with Engine(sqlite, stones=[Volume]) as engine:
        found = engine.lint(line("p", service("a", "typed::Volume", {"sise": "3", "speed": "quick"})))
    assert {"unknown-input", "input-type"} <= {each.code for each in found}


class Model(pydantic.BaseModel):  # type: ignore[misc,name-defined]
    """What a mail is made of."""

    to: str = pydantic.Field(title="To", description="who gets it", pattern=r".+@.+")
    copies: int = pydantic.Field(default=1, ge=1, le=5)
    token: pydantic.SecretStr  # type: ignore[name-defined]
    when: datetime.datetime | None = None


class Mail(Stone):
    """A mail."""

    code = "typed::Mail"
    parameters = Model

    def start(self, task: TaskInfo[Model]) -> dict[str, Any]:
        return {"said": f"{task.parameters.to} {task.parameters.copies} {task.parameters.token}"}


def test_a_model_of_pydantic_is_declared_and_checks_what_it_says(sqlite: str) -> None:
    with Engine(sqlite, stones=[Mail]) as engine:
        (declared,) = engine.stones_declared()
        told = {each.name: each for each in declared.parameters}
        assert (told["to"].display_name, told["to"].description, told["to"].required) == ("To", "who gets it", True)
        assert (told["copies"].type, told["copies"].default, told["token"].no_echo) == ("integer", 1, True)
        engine.deploy(line("p", service("a", "typed::Mail")))
        given = {"to": "a@b", "token": "hunter2"}
        number = engine.start(key="p", name="x", variables=given).process_instance_id
        (task,) = engine.tasks(number)
        assert task.outputs == {"said": "a@b 1 **********"}
        number = engine.start(key="p", name="x", variables={**given, "copies": 9}).process_instance_id
        (task,) = engine.tasks(number)
        assert task.status == "produce.failed"
        assert "'copies'" in (task.reason or "")
        assert "less than or equal to 5" in (task.reason or "")
        assert "hunter2" not in str(task)


def test_a_function_takes_and_gives_instances_too() -> None:
    @dataclass
    class Two:
        """Numbers."""

        a: int
        b: int = 2

    @dataclass
    class Sum:
        """Theirs."""

        sum: int

    with Engine("sqlite:///:memory:") as engine:
        engine.stone("typed::add", parameters=Two, outputs=Sum)(lambda task: Sum(task.parameters.a + task.parameters.b))
        engine.deploy(line("p", service("x", "typed::add")))
        number = engine.start(key="p", name="x", variables={"a": 3}).process_instance_id
        assert engine.tasks(number)[0].outputs == {"sum": 5}


def test_a_typed_stone_keeps_the_contract() -> None:
    report = check_stone(Volume, GIVEN)
    assert not [each for each in report.wrong if "parameters" in each.text or "outputs" in each.name], str(report)


class Alias(pydantic.BaseModel):  # type: ignore[misc,name-defined]
    """It has another name outside."""

    size: int = pydantic.Field(alias="the-size")


@dataclass
class Inner:
    """It is inside of another."""

    odd: set[int]


WRONG: dict[str, tuple[Any, str]] = {
    "complex": (complex, "'it' is a complex, for which there is no field"),
    "union": (int | str, "'it' is a int | str, for which"),
    "tuple": (tuple[int, int], "'it' is a tuple"),
    "numbers": (dict[int, str], "'it' is a dict"),
    "mixed": (Literal["a", 1], "'it' is a Literal"),
    "inner": (Inner, "has Inner inside, whose 'odd' is a set"),
    "unknown": ("Nowhere", "cannot be read from outside"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("what", ["parameters", "outputs"])
def test_what_nothing_can_be_made_of_is_refused_by_its_name(case: str, what: str) -> None:
    annotation, said = WRONG[case]
    record: Any = dataclass(type("Odd", (), {"__annotations__": {"it": annotation}, "__module__": __name__}))
    with pytest.raises(Invalid) as told:
        type("Stoned", (Stone,), {"code": "x", what: record})
    assert said in told.value.message
    assert "The " + what + " of the stone Stoned cannot be declared by Odd" in told.value.message


def test_so_are_aliases_metadata_that_means_nothing_and_classes_of_other_kinds() -> None:
    @dataclass
    class Misspelt:
        """A word that nobody reads."""

        a: str = field(metadata={"noecho": True})

    @dataclass
    class Made:
        """One that is not given."""

        a: int = field(init=False, default=1)

    for record, said in (
        (Alias, "'size' has an alias"),
        (Misspelt, "'a' has the metadata 'noecho', which means nothing here"),
        (Made, "'a' is not given to its constructor"),
        (dict, "dict, which is no dataclass and no model of pydantic"),
    ):
        with pytest.raises(Invalid, match=said):
            type("Stoned", (Stone,), {"code": "x", "parameters": record})
    with pytest.raises(Invalid, match="declare them by fields"):
        type("Words", (CommandStone,), {"code": "x", "command": ("ls",), "parameters": VolumeParameters})


def test_a_subclass_with_fields_of_its_own_gets_these() -> None:
    class Other(Volume):
        """One with fields."""

        parameters = {"a": fields.String(load_default="b")}  # type: ignore[assignment]

    class Same(Volume):
        """One that inherits all."""

        size = 3

    assert Other.parameters_type is None
    assert Same.parameters_type is VolumeParameters
    assert Same.secret_outputs == {"key"}


class Login(pydantic.BaseModel):  # type: ignore[misc,name-defined]
    """What it made, all of it secret."""

    token: pydantic.SecretStr  # type: ignore[name-defined]
    more: list[pydantic.SecretStr]  # type: ignore[name-defined]


class Kept(pydantic.BaseModel):  # type: ignore[misc,name-defined]
    """Secrets that its code has."""

    token: pydantic.SecretStr  # type: ignore[name-defined]
    made: pydantic.SecretStr = pydantic.Field(  # type: ignore[name-defined]
        default_factory=lambda: pydantic.SecretStr("made-1")
    )
    inside: dict[str, pydantic.SecretStr] = {"a": pydantic.SecretStr("inside-1")}  # type: ignore[name-defined]


@dataclass
class Wrapped:
    """A secret in a class that wraps nothing by itself."""

    token: pydantic.SecretStr  # type: ignore[name-defined]


def test_what_a_secret_holds_is_stored_for_later_tasks_and_never_shown(sqlite: str) -> None:
    seen: list[list[str]] = []
    with Engine(sqlite) as engine:

        @engine.stone("typed::login", outputs=Login)
        def login(task: TaskInfo) -> Login:
            return Login(token="hunter-2", more=["hunter-3"])

        @engine.stone("typed::use", parameters=Kept)
        def use(task: TaskInfo[Any]) -> None:
            given = task.parameters
            seen.append([each.get_secret_value() for each in (given.token, given.made, given.inside["a"])])

        @engine.stone("typed::wrapped", parameters=Wrapped)
        def wrapped(task: TaskInfo[Any]) -> None:
            seen.append([task.parameters.token.get_secret_value()])

        inputs = {"token": "${outputs.Login.token}"}
        steps = [service("Login", "typed::login"), service("b", "typed::use", inputs)]
        engine.deploy(line("p", *steps, service("c", "typed::wrapped", inputs)))
        number = engine.start(key="p", name="x").process_instance_id
        ended = engine.wait(number, 60)
        assert ended.status == "success", ended.reason
        shown = f"{engine.tasks(number)} {engine.get(number)} {engine.history(number)} {engine.stones_declared()}"
    assert seen == [["hunter-2", "made-1", "inside-1"], ["hunter-2"]]
    assert not [each for each in ("hunter-2", "hunter-3", "made-1", "inside-1") if each in shown]


@dataclass
class Picky:
    """What may be left out, and what it refuses by an error of any kind."""

    parts: int = 1
    speed: Speed | None = None
    kind: Literal["ssd", "disk"] | None = None
    inside: Picked | None = None

    def __post_init__(self) -> None:
        assert self.parts < 9, "too many parts"
        self.each = 100 / self.parts


@dataclass
class Picked:
    """It is inside."""

    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("it is negative")


class Choosy(Stone):
    """A stone with such parameters."""

    code = "typed::Choosy"
    parameters = Picky

    def start(self, task: TaskInfo[Picky]) -> dict[str, Any]:
        return {"speed": task.parameters.speed and task.parameters.speed.value, "each": task.parameters.each}


class Dividing(Stone):
    """One whose field has a validator that raises anything."""

    code = "typed::Dividing"
    parameters = {"parts": fields.Integer(required=True, validate=lambda value: 1 / value > 0)}

    def start(self, task: TaskInfo) -> None:
        """As it is."""


def test_a_choice_that_may_be_left_out_is_none(sqlite: str) -> None:
    with Engine(sqlite, stones=[Choosy]) as engine:
        engine.deploy(line("p", service("a", "typed::Choosy")))
        for given in ({}, {"kind": None, "speed": None}):
            (task,) = engine.tasks(engine.start(key="p", name="x", variables=given).process_instance_id)
            assert task.outputs == {"speed": None, "each": 100}, task.reason


@pytest.mark.parametrize(
    ("stone", "given", "said"),
    [
        ("Choosy", {"parts": 0}, "ZeroDivisionError: division by zero"),
        ("Choosy", {"parts": 9}, "AssertionError: too many parts"),
        ("Choosy", {"inside": {"size": -1}}, "it is negative"),
        ("Choosy", {"parts": 1.9}, "'parts': Not a valid integer"),
        ("Dividing", {"parts": 0}, "'parts': Cannot be checked: its field has raised ZeroDivisionError."),
    ],
)
def test_whatever_a_class_or_a_validator_raises_refuses_the_values(
    sqlite: str, stone: str, given: dict[str, Any], said: str
) -> None:
    code = f"typed::{stone}"
    with Engine(sqlite, stones=[Choosy, Dividing, Mail]) as engine:
        engine.deploy(line("p", service("a", code)))
        (task,) = engine.tasks(engine.start(key="p", name="x", variables=given).process_instance_id)
        assert (task.stone, task.status) == (code, "produce.failed")
        assert said in (task.reason or "")
        inputs = {name: f"${{ {value!r} }}".replace("'", '"') for name, value in given.items()}
        engine.lint(line("p", service("a", code, inputs)))


@dataclass
class Exact:
    """What a stone may put out."""

    size: int = 1
    ok: bool = True
    tags: list[str] = field(default_factory=list)
    name: str = ""
    picked: Picked | None = None
    until: datetime.date | None = None


def put_out(given: dict[str, Any], task: TaskInfo) -> Exact:
    return Exact(**given)


def test_an_output_that_is_not_of_its_type_fails_and_is_not_made_into_one() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"size": 1.9}, "'size' of Exact is not what its annotation says, but a float"),
        ({"ok": "no"}, "'ok'"),
        ({"tags": "abc"}, "'tags'"),
        ({"tags": ["a", 1]}, "'tags.1'"),
        ({"name": 3}, "'name'"),
        ({"picked": Picked(1.5)}, "'picked.size'"),  # type: ignore[arg-type]
    ]
    with Engine("sqlite:///:memory:") as engine:
        for number, (given, said) in enumerate([*wrong, ({"size": 2, "tags": ["a"], "picked": Picked(1)}, "")]):
            engine.stone(f"typed::{number}", outputs=Exact)(partial(put_out, given))
            engine.deploy(line(f"p{number}", service("x", f"typed::{number}")))
            (task,) = engine.tasks(engine.start(key=f"p{number}", name="x").process_instance_id)
            assert said in (task.reason or "")
            assert bool(said) == (task.status == "start.failed")
    assert task.outputs["picked"] == {"size": 1}


@dataclass
class Chain:
    """It holds itself."""

    child: Chain | None = None


@pydantic.dataclasses.dataclass
class Both:
    """A dataclass of pydantic."""

    count: int = pydantic.Field(ge=1)
    size: int = pydantic.Field(default=3, description="of it")
    key: str = field(default="", metadata={"no_echo": True})


def test_a_class_that_holds_itself_is_refused_and_one_of_pydantic_keeps_its_defaults() -> None:
    with pytest.raises(Invalid, match="'child' holds Chain inside of itself"):
        type("Stoned", (Stone,), {"code": "x", "parameters": Chain})
    both: Any = type("Stoned", (Stone,), {"code": "typed::Both", "parameters": Both, "start": lambda self, task: None})
    with Engine("sqlite:///:memory:", stones=[both]) as engine:
        (declared,) = engine.stones_declared()
        told = [(each.required, each.default, each.description, each.no_echo) for each in declared.parameters]
        assert told == [(True, None, "", False), (False, 3, "of it", False), (False, "*****", "", True)]
        engine.deploy(line("p", service("a", "typed::Both")))
        for count, status in ((2, "start.success"), (0, "produce.failed")):
            (task,) = engine.tasks(engine.start(key="p", name="x", variables={"count": count}).process_instance_id)
            assert task.status == status, task.reason
