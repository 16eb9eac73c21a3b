"""What every element that a token can stand on has in common, and the flows between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import ExpressionError
from ...language.expressions import Expression, Value
from ...language.mapped import all_of
from .event_definitions import matches
from .spiff import BpmnProcessSpec, BpmnTaskSpec

if TYPE_CHECKING:
    from ...language.context import Context
    from .event_definitions import EventDefinition
    from .failure_policy import FailurePolicy
    from .token import Queues, Token


LONGEST_SHOWN = 80
"""Characters of a drawn name that a text repeats."""


class KeepsOutputs(Protocol):
    """What a compensation handler reads of the outputs."""

    def kept_of(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """That of them, as it is now."""


class Flow:
    """A sequence flow; ``condition`` is None where it is unconditional."""

    __slots__ = ("condition", "id", "source", "target")

    def __init__(self, flow_id: str, source: Node, target: Node, condition: Expression | None = None) -> None:
        self.id = flow_id
        self.source = source
        self.target = target
        self.condition = condition

    def holds(self, context: Context) -> bool:
        """Whether it may be taken; raises ExpressionError, with its place, where that cannot be told."""
        if self.condition is None:
            return True
        try:
            return self.condition.is_true(context)
        except ExpressionError as error:
            place = f"The flow {self.id!r} from {self.source.label} to {self.target.label}"
            raise error.reworded(f"{place} cannot be decided. {error.message}") from None

    def __repr__(self) -> str:
        return f"<Flow {self.id}: {self.source.name} -> {self.target.name}>"


class Process(BpmnProcessSpec):
    """A process, or the inside of a sub-process: nodes by id, and where tokens begin.

    Shared by all instances and threads once it is parsed: nothing is ever changed in it at run time.
    """

    def __init__(self, name: str, description: str | None = None) -> None:
        super().__init__(name=name, description=description)
        self.nodes: dict[str, Node] = {}
        self.entries: list[Node] = []
        """Where a token begins when the process is started with no trigger."""
        self.starting: list[tuple[Node, Sequence[EventDefinition]]] = []
        """Every node whose trigger (a message, a signal, a timer) starts an instance."""
        self.event_sub_processes: list[Catcher] = []
        self.on_failure: FailurePolicy | None = None
        """What follows a failure where neither its element nor whoever started the process says so."""
        self.initial: dict[str, Any] = {}
        """Variables with the values that they begin with, unless whoever starts it gives others."""
        self.initiators: set[str] = set()
        """Variables that hold who has started the process."""
        self.version_tag: str | None = None
        self.root = Root(self)
        self.outstanding = Outstanding(self)

    def find(self, node_id: str) -> Node | None:
        """The node with this id here or in any sub-process within."""
        pending: list[Process] = [self]
        while pending:
            process = pending.pop()
            found = process.nodes.get(node_id)
            if found is not None:
                return found
            pending.extend(node.body for node in process.nodes.values() if node.body is not None)
        return None

    def walk(self) -> list[Node]:
        """All nodes, those of the sub-processes too."""
        found: list[Node] = []
        pending: list[Process] = [self]
        while pending:
            for node in pending.pop().nodes.values():
                found.append(node)
                if node.body is not None:
                    pending.append(node.body)
        return found


class Node(BpmnTaskSpec):
    """A flow node. A token that arrives is run; when it has completed, it leaves by the outgoing flows."""

    counts = True
    """Whether a token here keeps its scope from ending."""
    cancellable = False
    """Whether it is a transaction, which a cancel end event ends."""
    body: Process | None = None
    """The process inside it, of a sub-process."""
    host: Node | None = None
    """The activity on whose border it is."""
    fired: Node | None = None
    """Of an event on a border: where its token stands once it has fired."""
    definitions: Sequence[EventDefinition] = ()
    """What an event waits for or sends."""
    partners: Sequence[Node] = ()
    """Behind a parallel event-based gateway that starts processes: the events that must come as well."""
    completion: Expression | None = None
    """Of an ad-hoc sub-process: the condition on which it is done, whatever of it was begun."""
    input_values: Mapping[str, Value] = MappingProxyType({})
    """What the model lets in, by the name under which it is seen inside."""
    source: str | None = None
    """The name of the file that it stands in, where files have names."""
    output_values: Sequence[tuple[str, Value]] = ()
    """What the model lets out when it is done, by the variables that it sets."""
    on_failure: FailurePolicy | None = None
    """What follows when it, or something inside it, has failed for good; None leaves that to what is around it."""
    undo_on_compensation: bool | None = None
    """Whether a compensation takes back what was made inside where no handler is drawn; None where nothing says so."""
    outputs_read: KeepsOutputs | None = None
    """Of a compensation handler that reads any: which outputs of others it sees as its activity saw them."""
    undo_on_error = False
    """Whether what was made inside is undone before an error leaves it by its border."""
    only_mapped = False
    """Whether nothing else becomes a variable of those around it, as in Zeebe's models once a mapping is there."""

    def __init__(self, process: Process, node_id: str, *, title: str | None = None, line: int | None = None) -> None:
        # Not Spiff's own: nothing here uses what that makes for every node, which is most of what a model takes.
        self.name = self.bpmn_id = node_id
        self.namespace = node_id
        """Under which its outputs are found."""
        self.bpmn_name = title
        self.line = line
        self.process = process
        self.incoming: list[Flow] = []
        self.outgoing: list[Flow] = []
        self.default: Flow | None = None
        self.conditional = False

    @property
    def label(self) -> str:
        """How a text calls it: by its drawn name with the id behind."""
        name = " ".join((self.bpmn_name or "").split())[:LONGEST_SHOWN]
        return f"{name!r} ({self.bpmn_id})" if name and name != self.bpmn_id else repr(self.bpmn_id)

    def link(self, flow: Flow) -> None:
        """Add an outgoing flow, on both of its ends."""
        self.outgoing.append(flow)
        flow.target.incoming.append(flow)
        self.conditional = self.conditional or flow.condition is not None

    @property
    def is_undone_by_stones(self) -> bool:
        """Whether a compensation takes back what was made here by the stones' own hooks."""
        return False

    def undone(self, token: Token) -> bool | None:
        """What a token has asked to be undone before it goes on is; true if it has done its work."""
        return self._run_hook(token)

    def delivered(self, token: Token) -> None:
        """All have got the signal that a token has thrown."""
        raise TypeError(f"{type(self).__name__} throws nothing")

    def arrive(self, scope: Token, flow: Flow | None, causes: tuple[int, ...]) -> None:
        """A token comes in by a flow (None: it begins here)."""
        scope.workflow.new_token(self, scope, flow.id if flow else None, causes)

    def _run_hook(self, token: Token) -> bool | None:
        return True

    def take_inputs(self, token: Token) -> None:
        """Let what the model lets in be seen from the token, in front of everything else."""
        if self.input_values:
            inputs = all_of(self.input_values.items(), token.context)
            token.note(behind_inputs={name: token.data[name] for name in inputs if name in token.data})
            token.data = {**token.data, **inputs}
            token.workflow.touched[token.id] = token

    def drop_inputs(self, token: Token) -> None:
        """Let nothing be seen from the token that it has let in, since it is to do so once more."""
        token.data = self.data_before_inputs(token)
        token.internal_data.pop("behind_inputs", None)
        token.workflow.touched[token.id] = token

    def data_before_inputs(self, token: Token) -> dict[str, Any]:
        """The token's own variables as they were before it let any inputs in; it may have let in none."""
        behind = token.internal_data.get("behind_inputs")
        if behind is None:
            return token.data
        return {name: value for name, value in token.data.items() if name not in self.input_values} | behind

    def map_outputs(self, token: Token, results: Mapping[str, Any]) -> None:
        """Set the variables that the model's output mappings name."""
        if self.output_values:
            self.let_out(token, all_of(self.output_values, token.context.child(results)))

    def let_out(self, token: Token, values: dict[str, Any]) -> None:
        """Set these variables outside of the node."""
        token.set_around(values)

    def receive(self, token: Token, values: Mapping[str, Any]) -> None:
        """Let what has come to the token be variables: of the process, or where ``only_mapped`` of the token alone."""
        if not self.only_mapped:
            token.set_variables(values)
        elif values:
            token.data = {**token.data, **values}
            token.workflow.touched[token.id] = token

    def _on_complete(self, token: Token) -> None:
        self.leave(token)

    def leave(self, token: Token) -> None:
        """Send the token on; without an outgoing flow it ends here."""
        token.workflow.move(token, self.choose(token) if self.conditional else self.outgoing)

    def choose(self, token: Token) -> Sequence[Flow]:
        """The flows to take."""
        return self.flows_in(token.context)

    def flows_in(self, context: Context) -> Sequence[Flow]:
        """Every flow that has no condition or whose condition holds, and the default one if no condition does."""
        taken = [flow for flow in self.outgoing if flow is not self.default and flow.holds(context)]
        if self.default is not None and self.needs_default(taken):
            taken.append(self.default)
        if taken:
            return taken
        raise ExpressionError(
            f"No outgoing flow of {self.label} can be taken: no condition holds and there is no default flow."
        )

    def needs_default(self, taken: Sequence[Flow]) -> bool:
        """Whether the default flow is taken beside these: it stands for all conditions together (BPMN 2.0, 13.2.1)."""
        return all(flow.condition is None for flow in taken)

    def catchers(self, token: Token, kind: str, code: str) -> Sequence[Catcher]:
        """The events on the border that catch this error or escalation, the one to take first."""
        return ()

    def catchers_inside(self, scope: Token, kind: str, code: str) -> Sequence[Catcher]:
        """The event sub-processes in this scope that this error or escalation starts, the one to take first."""
        return ()

    def finish(self, token: Token, results: Mapping[str, Any]) -> None:
        """The work of an activity is done."""
        raise TypeError(f"{type(self).__name__} is no activity")

    def caught(self, token: Token, number: int, payload: Mapping[str, Any], causes: tuple[int, ...] = ()) -> None:
        """One of the things that a token here waits for has come, ``causes`` tell after what of this process."""
        raise TypeError(f"{type(self).__name__} waits for nothing")

    def has_become_true(self, token: Token, number: int) -> bool:
        """Whether the condition of one of the definitions holds and did not when it was last looked at."""
        raise TypeError(f"{type(self).__name__} waits for nothing")

    def decide(self, scope: Token, queues: Queues) -> bool:
        """Let a join that acts on what can still come go on if nothing more can; whether it did."""
        raise TypeError(f"{type(self).__name__} does not decide")

    def find_body(self, token: Token) -> None:
        """Find the process again that a call activity has called before it was saved."""
        raise TypeError(f"{type(self).__name__} calls nothing")

    def resume(self, token: Token) -> None:
        """Rebuild what is not saved of a token that was loaded."""

    def compensation_handler(self) -> Node | None:
        """What takes this node back once it has completed, if the model says so (BPMN 2.0, 10.7)."""
        return None

    # What a node is asked whose token is a scope:

    def scope_ended(self, token: Token) -> None:
        """The last token inside this scope is gone."""
        raise TypeError(f"{type(self).__name__} is no scope")

    def goes_on(self, scope: Token) -> bool:
        """Whether this scope, in which nothing is left, begins something more."""
        return False

    @property
    def numbers_runs(self) -> bool:
        """Whether the namespaces of its runs are numbered: it is a multi-instance task or call."""
        return False

    @property
    def has_runs_apart(self) -> bool:
        """Whether each of its runs has outputs of its own: it is a multi-instance sub-process."""
        return False

    @property
    def runs_in_turn(self) -> bool:
        """Whether its runs come one after the other."""
        return True

    @property
    def runs_are_tasks(self) -> bool:
        """Whether all that ends in this scope are runs that have a row of the ledger each, in no order."""
        return False

    def interrupted(self, scope: Token) -> None:
        """All that ran in this scope was taken away, so that something else goes on in it."""

    def has_enough(self, scope: Token, done: Token) -> bool:
        """Whether this scope, which has a ``completion``, needs nothing more, now that an activity inside is done."""
        return False

    def compensated_scope(self, scope: Token) -> Token:
        """The scope whose activities a compensation event inside this one means."""
        return scope


class Root(Node):
    """What the token of a whole process stands on; never drawn."""

    def __init__(self, process: Process) -> None:
        super().__init__(process, f"{process.name}:root")

    def scope_ended(self, token: Token) -> None:
        token.workflow.root_ended()

    def catchers_inside(self, scope: Token, kind: str, code: str) -> Sequence[Catcher]:
        return catching(self.process.event_sub_processes, kind, code)


class Outstanding(Node):
    """Where a token waits for an undo whose own token an event has taken away: the process ends only after it.

    Like a root it is never drawn, and no flow leads to it.
    """

    def __init__(self, process: Process) -> None:
        super().__init__(process, f"{process.name}:outstanding")

    @property
    def label(self) -> str:
        return repr(self.process.name)

    def leave(self, token: Token) -> None:
        token.workflow.move(token, ())


class Catcher(Node):
    """What an error, an escalation or another event finds: an event on a border, or an event sub-process."""

    interrupting = True
    """Whether it takes away what it is on or in."""

    def listen(self, token: Token) -> None:
        """Begin to wait, beside the activity or inside the scope of this token, for what comes from outside."""
        raise NotImplementedError

    def catch(
        self, token: Token, payload: Mapping[str, Any], source: Token | None = None, causes: tuple[int, ...] = ()
    ) -> None:
        """Go on, since what it is for has come to the activity or the scope of this token, from ``source`` in it.

        ``causes`` are those of whatever has thrown it: what goes on follows them too, so it is undone before them.
        """
        raise NotImplementedError


def catching(catchers: Iterable[Catcher], kind: str, code: str) -> list[Catcher]:
    """Those of them that catch an error or escalation, the most exact first."""
    found = [each for each in catchers if any(matches(definition, kind, code) for definition in each.definitions)]
    return sorted(found, key=lambda each: not any(definition.name == code for definition in each.definitions))
