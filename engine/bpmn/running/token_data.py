"""What a token keeps across a restart beside its variables: the words of ``token.internal_data``, which is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

RUN: Final = "run"
TASK: Final = "task"
BEGINNING: Final = "beginning"
LEAVES: Final = "leaves"
CALLED: Final = "called"
TRIGGERED: Final = "triggered"
RACE: Final = "race"
HOST: Final = "host"
COMPENSATED: Final = "compensated"
COMPENSATES: Final = "compensates"

if TYPE_CHECKING:  # nobody else asks for these classes, and making them takes 2 ms of each import
    from typing import Any, NotRequired, TypedDict

    from ....models.vocabulary import ThrownKind
    from .results import Step

    class Executed(TypedDict):
        """One execution of an activity."""

        id: int
        """The token's that has completed."""
        tasks: list[int]
        """The ids of the tasks that it followed when it was done."""

    class Compensable(Executed):
        """One that can be compensated."""

        node: str
        after: list[int]
        """The ids of those that came before it on its way."""
        inner: list[Compensable]
        """What had completed inside it."""
        data: dict[str, Any]
        """The variables of its own, as they were when it completed."""
        seen: NotRequired[dict[str, Any]]
        """What its handler reads of the outputs, as they were then."""
        part: NotRequired[bool]
        """It is no execution that has completed: it only holds some, and the variables that these have seen around."""

    class Delivering(TypedDict):
        """A signal that has not come yet to all who are to get it."""

        to: list[int]
        """By turns a token and the number of its wait, the next one last."""
        payload: dict[str, Any]
        causes: list[int]
        by: int
        """The token that has thrown it; 0 for one from outside."""

    class Asked(Executed):
        """One whose present work is to be undone."""

        node: str

    class Leaving(TypedDict):
        """What sends many tokens on, a portion at a time."""

        left: int
        """How many are still to be sent along each flow, the last of them itself."""
        flows: list[str]

    class TokenData(TypedDict, total=False):
        """JSON by fixed words; stores hold them, so a word is never renamed."""

        # -- tasks and activities
        task: int
        """The id of the task that the token waits for."""
        run: int
        """Which run of a repeated activity it is, counted from 1."""
        failed: str
        """Why the token cannot go on."""
        rewinding: int
        """It is to begin again when this rewind has ended."""
        undo_first: bool
        """It goes on when what was to be undone before is, which is no rewind that anybody has asked for."""
        undoes: list[list[int]]
        """Of what waits for an undo: the ids of the tasks that this takes back, as runs by their first and last."""
        asks_again: list[Asked]
        """Of what waits for an undo that others have asked for: of what it wants the present work to be undone then."""
        given: dict[str, Any]
        """Of a task that is to begin: parameters that somebody has given it."""
        paused: bool
        """Only this token has stopped, for somebody to say how it goes on."""
        given_up: bool
        """Nobody has said so in time."""
        behind_inputs: dict[str, Any]
        """Of its own variables those that inputs of the same names stand in front of."""
        leaving: bool
        """The work was done when it failed: it could not leave."""
        again: bool
        """It begins once more what it has begun: its listeners are there already."""
        called: str
        """Of a call activity that has begun: the key of what it called."""
        deployment: str | None
        """Of a call activity: the deployment of the called process, None where it is the caller's own."""
        parameters: dict[str, Any]
        """Of a call activity: the variables of the called process."""
        path: list[Step]
        """Of a call activity: the calls and runs that it is inside of, and its own namespace."""
        leaves: Leaving
        """Of an activity that is done and sends many tokens on: those that are still to be sent."""
        left: list[str]
        """Of a sequential ad-hoc sub-process: the nodes that have not begun."""

        # -- loops and multi-instance
        turns: int
        """How many turns of a loop have begun."""
        maximum: int | None
        """How many turns it may have."""
        count: int
        """How many runs a multi-instance activity has."""
        begun: int
        """How many of them have begun."""
        most: int
        """How many of them go on at once."""
        beginning: bool
        """More of them are to begin at once, a portion at a time."""
        done: int
        """How many of them are through."""
        items: list[Any]
        """What they run over, where one begins after the other."""
        collected: list[Any]
        """What they have put out, by the number of the run."""

        # -- events and gateways
        triggered: bool
        """What the token would wait for has come already, and brought it about."""
        host: int
        """Of the listener of a boundary event: the token of the activity."""
        race: int
        """Behind an event-based gateway: which race the token takes part in."""
        seen: list[int]
        """Of a parallel multiple event: the numbers of the definitions that have come."""
        come: list[list[Any]]
        """The same as they were waited for, a :class:`~.waits.Wait` each, until all have come."""
        held: list[int]
        """The numbers of the conditions that were true when they were last looked at."""
        repeats: dict[str, list[Any]]
        """By the number of a timer: what is to come of it, a :class:`~.timers.cycles.Cycle`."""
        fired: dict[str, dict[str, list[Any]]]
        """Of an activity or scope, by the event that has come beside it and the number of the definition: how often it
        came that does not come at will, after which tasks the last time, from when its turns are counted, and how often
        it had come before after which others. So a rewind lets it come no second time."""
        kind: ThrownKind
        """Of what a throw event has sent."""
        name: str
        """Of what was sent: its name."""
        payload: dict[str, Any]
        """Of what was sent: what it brings."""
        sending: int
        """Of what throws signals and more than these: how many have not come yet to all who are to get them."""
        sent: bool
        """Of the same: all of them have."""
        started: dict[str, list[str | None] | None]
        """Of a scope, by complex gateway that waits for the rest: the flows whose tokens made it start."""

        # -- compensation
        compensable: list[Compensable]
        """Of a scope: what has completed inside."""
        skipped: bool
        """Of an activity whose stone has made nothing: nobody compensates it."""
        compensated_in: int
        """Of a token that has asked for a compensation: the scope that it compensates."""
        undoing: dict[str, Compensable]
        """Of such a token: what is still to be compensated, by its id."""
        handling: dict[str, list[int]]
        """Of such a token: what is being compensated, by its id, and the entries that came before it."""
        taken_back: list[int]
        """Of such a token: which of these an undo takes back by the hooks of stones."""
        taken: list[Compensable]
        """The same as they were remembered, for whoever compensates them if an event takes the token away."""
        compensated: bool
        """Of such a token: all that it has asked for is compensated, and it goes on."""
        undone: bool
        """Of such a token: more may be compensated now."""
        cancelled: bool
        """Of a transaction: it was cancelled."""
        compensates: int
        """Of a handler: the token that has asked for the compensation."""
        entry: int
        """Of a handler: the entry that it compensates."""
        left_out: bool
        """Of a handler: somebody has skipped it, or a step of it."""
        tasks: list[int]
        """Of a handler: the tasks that what it compensates followed."""
        activity: str
        """Of a handler: the node that it compensates."""
        outputs: dict[str, Any]
        """Of a handler: what it reads of the outputs, as they were when what it compensates had completed."""

        # -- the root of a process that goes on without waiting for anything, in more than one turn
        unbroken: tuple[int, int]
        """How many steps it has made since it waited, and what they have looked at."""

        delivering: list[Delivering]
        """The signals that are on their way to those who wait for them."""

        # -- the root of an undo
        handled: dict[str, list[int]]
        """By task that a handler of several steps has taken back: the tasks that this made."""
        more: bool
        """There is more that could begin than one turn may."""
        reopened: bool
        """It had ended well: of its order nothing is left to begin."""

        ended: list[int]
        """Of a scope, in the store only: the causes of what has ended inside."""
