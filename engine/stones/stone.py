"""What a user writes: an executor that does one thing in the world and can undo it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from ..coroutines import is_coroutine, refuse_generator, refuse_unrun
from ..errors import Invalid
from .deferral import Deferral
from .error_words import ErrorKinds
from .quota import Quota

if TYPE_CHECKING:
    from marshmallow import fields

    from .hooks.task_info import TaskInfo


class Dataclass(Protocol):
    """An instance of a class that ``dataclasses`` has made."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class PydanticModel(Protocol):
    """An instance of a model of pydantic."""

    __pydantic_fields__: ClassVar[dict[str, Any]]


Outputs: TypeAlias = "Mapping[str, Any] | Dataclass | PydanticModel | Deferral | None"


class Stone:
    """Subclass it, give it a ``code``, and override the hooks that have something to do.

    A hook that is not overridden does not exist: its event is passed over, and an undo event lists the
    task as retained. Hooks run on any thread, and more than once if the first answer was lost: use
    ``task.idempotency_key`` towards the outside. A hook that is an ``async def`` runs on the engine's event loop.
    """

    code: ClassVar[str] = ""
    """How a model names this stone, such as ``SIP::EC2::Volume``."""
    aliases: ClassVar[Sequence[str]] = ()
    """Codes that it had before: models and tasks that still name them are its own, their undo too."""
    display_name: ClassVar[str] = ""
    parameters: ClassVar[Mapping[str, fields.Field[Any]] | Any] = {}
    """Marshmallow fields by name; or a dataclass or a model of pydantic, which becomes fields, and of which
    ``task.parameters`` is then an instance.

    Their ``metadata`` may hold ``visible``, ``display_name``, ``no_echo``, ``allowed_values``, and ``variable``:
    whether it takes the start variable of its name (where nothing is said it does, and lint warns). One that is
    ``no_echo`` inside of another makes the whole value secret.
    """
    outputs: ClassVar[Mapping[str, str] | Any] = {}
    """What ``add_output`` will be called with, by name, in words; or a class like that of parameters, an instance of
    which ``start`` may return."""
    secret_outputs: ClassVar[frozenset[str]] = frozenset()
    """Outputs that are masked wherever the task is shown."""
    serves: ClassVar[Mapping[str, Any]] = {}
    """Parameter values for which this stone is chosen where several share a code; empty serves the rest."""

    parameters_type: ClassVar[type[Any] | None] = None
    """The class by which ``parameters`` were declared, if by any; set when the stone is defined."""
    outputs_type: ClassVar[type[Any] | None] = None
    """The same of ``outputs``."""

    external: ClassVar[bool] = False
    """Whether workers fetch its tasks over HTTP; of declarations, since such a stone has no code here."""
    undeclared: ClassVar[bool] = False
    """Whether it is known from models and fetches alone, so that nobody has said which hooks it lacks."""

    retries: ClassVar[int] = 0
    """How often a failed event is tried again."""
    retry_backoff: ClassVar[float] = 1.0
    """Seconds before the first retry; doubled for each further one."""
    retry_backoff_max: ClassVar[float] = 300.0
    retry_jitter: ClassVar[float] = 0.1
    """By which part of itself a pause before a retry may be longer, at random, so that not all come at once."""
    retry_for: ClassVar[float | None] = None
    """Seconds after its first failure in which an event may be tried again; None for as long as its retries last."""
    retry_on: ClassVar[ErrorKinds] = ()
    """Errors that are worth a retry, by class or by a word: the name of a class, or the code of an error, as those of
    cloud clients have one; ``*`` stands in it for anything. Empty stands for all."""
    fatal_on: ClassVar[ErrorKinds] = ()
    """Errors after which trying again is of no use; it goes before ``retry_on``."""
    monitor_retries: ClassVar[int] = 3
    """How many looks of ``monitor`` in a row may fail before the task does: until then only the look has failed."""
    timeouts: ClassVar[Mapping[str, float]] = {}
    """Seconds by event (``start``, ``monitor``, ``rollback``, ...) after which the event has failed.
    For ``monitor`` the whole time from the first look; for the others one call."""
    monitor_interval: ClassVar[float] = 5.0
    """Seconds between two looks of ``monitor``, and of those at an undo."""
    settle: ClassVar[float] = 0.0
    """Seconds after a start for which ``NotFound`` from an undo is not believed, since the thing may not show yet."""
    grace: ClassVar[float] = 240.0
    """Seconds that a running task is given to stop when its process fails or is cancelled."""

    quota: ClassVar[Quota | None] = None
    """How many of its hooks may act at once, and begin in a minute, on all engines together; what finds no room waits.
    A setting goes before it."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "parameters" in vars(cls) and "parameters_type" not in vars(cls):
            cls.parameters_type = cls.parameters if isinstance(cls.parameters, type) else None
            if cls.parameters_type is not None:
                cls.parameters = _records(cls, cls.parameters_type).parameter_fields(cls, cls.parameters_type)
        if "outputs" in vars(cls) and "outputs_type" not in vars(cls):
            cls.outputs_type = cls.outputs if isinstance(cls.outputs, type) else None
            if cls.outputs_type is not None:
                cls.outputs, secret = _records(cls, cls.outputs_type).output_texts(cls, cls.outputs_type)
                cls.secret_outputs = cls.secret_outputs | secret

    def open(self) -> Awaitable[None] | None:
        """Make what all hooks of the class share, such as a client, and keep it in ``self``.

        Called once before the first hook in each engine and each process of a worker; that object's hooks are then
        called, from many threads at once. An ``async def`` only where all hooks are.
        """
        return None

    def close(self) -> Awaitable[None] | None:
        """Close it, when the engine or the worker ends and no hook runs any more."""
        return None

    def start(self, task: TaskInfo[Any]) -> Outputs | Awaitable[Outputs]:
        """Do it. Returning is success, raising is failure; a mapping that is returned becomes outputs.

        What ``task.defer()`` gives is returned where somebody outside is to tell what comes of the task.
        """
        return None

    def monitor(self, task: TaskInfo[Any]) -> bool | Awaitable[bool | None] | None:
        """Look once, without waiting: true when it is done, anything else to be asked again later."""

    def rollback(self, task: TaskInfo[Any]) -> Awaitable[None] | None:
        """Undo it because the process failed."""

    def cancel(self, task: TaskInfo[Any]) -> Awaitable[None] | None:
        """Undo it because the process was cancelled."""

    def delete(self, task: TaskInfo[Any]) -> Awaitable[None] | None:
        """Remove what the process made."""

    def rollback_monitor(self, task: TaskInfo[Any]) -> bool | Awaitable[bool | None] | None:
        """Look once, after ``rollback``, whether it is gone: true when it is, anything else to be asked again later.

        So an undo that takes minutes holds no thread; ``NotFound`` means that it is gone.
        """

    def cancel_monitor(self, task: TaskInfo[Any]) -> bool | Awaitable[bool | None] | None:
        """The same after ``cancel``."""

    def delete_monitor(self, task: TaskInfo[Any]) -> bool | Awaitable[bool | None] | None:
        """The same after ``delete``."""

    def mock(self, task: TaskInfo[Any]) -> Awaitable[None] | None:
        """Pretend, in a mock run."""

    def check(self, task: TaskInfo[Any]) -> str | Awaitable[str | None] | None:
        """Look whether what it made is there as it was made: None where it is, or in words what is different.

        What is gone raises ``NotFound``. It must change nothing.
        """
        return None

    @classmethod
    def has(cls, event: str) -> bool:
        """Whether the class overrides the hook of this event."""
        return getattr(cls, event) is not getattr(Stone, event)


def _records(stone: type[Stone], record: type[Any]) -> ModuleType:
    """What translates such a class; raises Invalid for one that is neither a dataclass nor a model."""
    from .declarations import records  # late, since it imports marshmallow

    if not records.is_record(record):
        text = f"The stone {stone.__name__} declares something by {record.__name__}, which is no dataclass and no model"
        raise Invalid(f"{text} of pydantic.", code="stone-invalid")
    return records


def stone_of_function(code: str, function: Callable[[TaskInfo[Any]], Any], options: Mapping[str, Any]) -> type[Stone]:
    """A stone class whose ``start`` calls the function; a mapping that it returns becomes outputs."""

    refuse_generator(function, f"The function of the stone {code!r}")

    declared: Any = options["outputs"] if isinstance(options.get("outputs"), type) else None

    def outputs(returned: Any) -> Outputs:
        if returned is None or isinstance(returned, (Mapping, Deferral)):
            return returned
        if declared is not None and isinstance(returned, declared):
            told: Dataclass | PydanticModel = returned
            return told
        refuse_unrun(returned, f"The function of the stone {code!r}")
        raise TypeError(f"The function of stone {code!r} returned {type(returned).__name__}, not a mapping or None.")

    def start(self: Stone, task: TaskInfo[Any]) -> Outputs:
        return outputs(function(task))

    async def start_awaited(self: Stone, task: TaskInfo[Any]) -> Outputs:
        return outputs(await function(task))

    unknown = [name for name in options if name.startswith("_") or not hasattr(Stone, name)]
    if unknown:
        raise Invalid(f"A stone has no option {', '.join(map(repr, unknown))}.", code="stone-option")
    hook = start_awaited if is_coroutine(function) else start
    members = {"code": code, "start": hook, "__doc__": function.__doc__, **options}
    return type(getattr(function, "__name__", code), (Stone,), members)
