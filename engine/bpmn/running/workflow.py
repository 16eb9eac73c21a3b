"""The step loop: one agenda over all scopes, run until everything waits for the outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ...errors import BpmnError, LimitExceeded, RiverstoneError
from ...language import effort
from ...language.context import Context
from .awaited_undos import AwaitedUndos
from .conditions import Conditions
from .deliveries import MOST_TOUCHED, Deliveries
from .host import Host
from .node import Flow, Node, Process
from .spiff import BpmnWorkflow
from .token import CANCELLED, COMPLETED, ERROR, READY, ROOT, STARTED, WAITING, Token, merged
from .token_data import CALLED, HOST, RACE
from .unforeseen import Place, throw_out
from .waits import Wait

if TYPE_CHECKING:
    from ...limits import Limits
    from .retracing import StepNotes

GroupKey: TypeAlias = tuple[Literal["host", "race"], int]


def too_many_tokens(limits: Limits) -> LimitExceeded:
    """What a process fails with that has more tokens on their way at once than it may."""
    text = f"The limit tokens ({limits.tokens}) of those on their way at once was reached."
    return LimitExceeded("tokens", text)


class Workflow(BpmnWorkflow):
    """One running process: its tokens, what they wait for, and the context beside them."""

    def __init__(self, process: Process, host: Host, context: Context, *, first_token: int = 1, steps: int = 0) -> None:
        # Not Spiff's own: for every instance it makes events, their manager and a script engine. Nothing here uses
        # them, and where there is no script engine, none of Spiff's code can run any Python from a model.
        self.spec = process
        self.tasks: dict[int, Token] = {}
        self.completed = False
        self.host = host
        self.root_context = context
        self.next_token = first_token
        self.steps = steps
        self.stops_on_failure = True
        self.failures: dict[int, str] = {}
        self.way: StepNotes | None = None
        """What is noted for a rewind, where there may be one."""
        self.undos = AwaitedUndos(self)
        self.conditions = Conditions(self)
        self.deliveries = Deliveries(self)
        self.paused: dict[int, str] = {}
        """Why tokens have failed of which each stands still by itself, until somebody says how it goes on."""
        self.waits: dict[int, list[Wait]] = {}
        self.open_tasks: set[int] = set()
        self.undecided: dict[tuple[int, str], Node] = {}
        """Joins that have something to decide, by the id of their scope and their own."""
        self.groups: dict[GroupKey, dict[int, Token]] = {}
        """Tokens that are taken away together, by what they share: the activity that they listen beside, or the race
        behind an event-based gateway. A scope may hold thousands of others, which nobody goes through for that."""
        self.touched: dict[int, Token] = {}
        self.gone: set[int] = set()
        self.variables_changed = False
        """Whether the variables of the whole process have changed in another way than by being set."""
        self.newly_set: dict[str, Any] = {}
        """Variables of the whole process that were set since they were last saved."""
        self._agenda: list[int] = []
        self._ending: list[Token] = []
        """Scopes that are about to end, the innermost first."""
        self.is_unfinished = False
        """Whether the last turn was over before everything waited for the outside."""
        self.unforeseen: dict[Place, str] = {}
        """Where this turn has met a defect when it was done before, and what is said of it."""
        self._stood_still = False
        """Whether it has come to such a place since, so that it is over."""

    # -- beginning and running

    def begin(self, entry: Node | None = None) -> None:
        """Put the first tokens: at the entries of the process, or at the one node whose trigger has come."""
        root = self.new_token(self.spec.root, None, None, (), state=STARTED)
        self.task_tree = root
        self.open_scope(root, self.spec, entry)

    def reopen(self) -> Token:
        """The root, put back if the process has ended, so that something more can begin in it."""
        root = self.tasks.get(ROOT)
        if root is None:
            root = self.task_tree = Token(self, self.spec.root, None, ROOT, STARTED)
            self.gone.discard(ROOT)
            self.touched[ROOT] = root
            self.completed = False
        return root

    def open_scope(self, scope: Token, process: Process, entry: Node | None = None) -> None:
        """Begin the inside of a scope: its listeners first, then its first tokens."""
        if process.initial:
            scope.begin_with(process.initial)
        for handler in process.event_sub_processes:
            handler.listen(scope)
        if entry is None:
            for node in process.entries:
                node.arrive(scope, None, scope.causes)
        else:
            self.new_token(entry, scope, None, scope.causes).note(triggered=True)
            for partner in entry.partners:
                partner.arrive(scope, None, scope.causes)
        if scope.live == 0 and not self.completed:
            self.scope_ended(scope)

    def advance(self, is_over: Callable[[], bool]) -> None:
        """Run until every token waits for the outside (BPMN 2.0, 13.1), or something has failed.

        Where the turn ``is_over`` before that, ``is_unfinished`` says that more is to be done in the next one.
        """
        limits = self.host.limits
        agenda, tasks, conditions, undos = self._agenda, self.tasks, self.conditions, self.undos
        signals = self.deliveries.pending
        before, work = self.task_tree.internal_data.pop("unbroken", (0, 0))
        if before:
            self.touched[ROOT] = self.task_tree
            effort.carry(work)
        self.is_unfinished = self._stood_still = False
        steps = before
        while not (self.completed or (self.failures and self.stops_on_failure)):
            if signals:
                self.deliveries.deliver(is_over)
                if signals and not self.halted:
                    self._leave_rest(steps)
                    break
                continue
            if conditions.stale or conditions.unchecked:
                conditions.check(is_over)
                if conditions.unchecked and not self.halted:
                    self._leave_rest(steps)
                    break
            if not agenda:
                if undos.later:
                    undos.ask_now()
                    continue
                if self.undecided and self._decided():
                    continue
                break
            token = tasks.get(heappop(agenda))
            if token is None or token._state != READY:
                continue
            steps += 1
            if steps > limits.steps_per_turn:
                limit = limits.steps_per_turn
                text = f"The limit steps_per_turn ({limit}) was reached without anything to wait for."
                self.fail(token, text, alone=False)
                break
            # An undo has as many tokens as there is to undo, and its model is ours.
            if len(tasks) > limits.tokens and self.stops_on_failure:
                self.fail(token, too_many_tokens(limits).message, alone=False)
                break
            self.attempt(token, token.run)
            has_more = agenda or signals or undos.later or conditions.stale or conditions.unchecked or self.undecided
            if has_more and (self._stood_still or len(self.touched) > MOST_TOUCHED or is_over()) and not self.halted:
                self._leave_rest(steps)
                break
        if signals:
            self.deliveries.keep()
        self.steps += steps - before
        if self.steps > limits.steps_per_instance and not self.halted:
            self.fail(self.task_tree, f"The limit steps_per_instance ({limits.steps_per_instance}) was reached.")
        if not (self.open_tasks or self.completed):
            self._fail_if_stuck()

    def _leave_rest(self, steps: int) -> None:
        """The next turn goes on, and counts on from here: nothing was waited for."""
        self.is_unfinished = True
        self.task_tree.note(unbroken=(steps, effort.spent()))

    @property
    def halted(self) -> bool:
        """Whether no token runs any more in this turn: the process has ended, or failed."""
        return self.completed or (self.stops_on_failure and bool(self.failures))

    def guard(self, token: Token, action: Callable[[], Any]) -> None:
        """Do what may fail because of the model or its data; then only this token fails."""
        effort.step(self.host.limits)
        try:
            action()
        except (BpmnError, RiverstoneError) as error:
            self._not_run(token, error)

    def attempt(self, token: Token, action: Callable[[], Any]) -> None:
        """The same as a part of the step loop: a defect stops this token too, once the turn is done without that."""
        place = token.id, self.next_token
        if self.unforeseen and place in self.unforeseen:
            self._stood_still = True
            self.fail(token, f"At {token.node.label}: {self.unforeseen[place]}", unforeseen=True)
            return
        effort.step(self.host.limits)
        try:
            action()
        except (BpmnError, RiverstoneError) as error:
            self._not_run(token, error)
        except Exception as error:
            throw_out(token, place, error)

    def _not_run(self, token: Token, error: BpmnError | RiverstoneError) -> None:
        if isinstance(error, BpmnError):
            self._throw_error(token, error)
        else:
            node = self._standing(token).node
            named = node.label in error.message or repr(node.bpmn_id) in error.message
            self.fail(token, error.message if named else f"At {node.label}: {error.message}")

    def _throw_error(self, token: Token, error: BpmnError) -> None:
        """Send a BPMN error outward (BPMN 2.0, 10.5.1); without a catcher the token fails."""
        code, text = error.error_code, error.message
        if not token.throw("error", code, {"errorCode": code, "errorMessage": text}):
            self.fail(token, f"The BPMN error {code!r} of {token.node.label} is caught by no event: {text}")

    def _fail_if_stuck(self) -> None:
        if self.is_unfinished or self.failures or self.waits or self._agenda or self.undos.later:
            return
        if self.paused or self.undos.rewinding or self.undos.to_undo:
            return
        for token in sorted(self.tasks.values(), key=lambda token: token.id):
            if token._state == WAITING and token.node.counts:
                place = token.node.bpmn_id
                text = f"The process is stuck: a token waits at {place!r} for others that cannot come."
                self.fail(token, text, alone=False)
                return

    def resume(self, token: Token) -> None:
        """Rebuild what is not saved of a token that was loaded, once all are there."""
        token.node.resume(token)
        self.undos.resume(token)
        if token.scope is None:
            self.deliveries.resume(token)
        if token._state == ERROR:
            failed = self.paused if "paused" in token.internal_data else self.failures
            failed[token.id] = token.internal_data.get("failed", "")
        elif token._state == READY:
            self.make_ready(token)
            self.is_unfinished = True
        if any(wait.kind == "condition" for wait in self.waits.get(token.id, ())):
            self.conditions.watching.add(token.id)
            self.conditions.stale = True
        self.group(token)
        for name, taken in token.internal_data.get("started", {}).items():
            if taken is not None:
                self.undecided[token.id, name] = self.node_named(name, token)

    # -- tokens

    def new_token(
        self, node: Node, scope: Token | None, flow: str | None, causes: tuple[int, ...], *, state: int = READY
    ) -> Token:
        """A token on a node, run in its turn unless it is made waiting."""
        token_id = self.next_token
        self.next_token = token_id + 1
        token = Token(self, node, scope, token_id, state, flow, causes)
        self.touched[token_id] = token
        if state == READY:
            heappush(self._agenda, token_id)
        return token

    def group(self, token: Token) -> None:
        """Keep a token that says so with those that are taken away together."""
        for key in _groups_of(token):
            self.groups.setdefault(key, {})[token.id] = token

    def make_ready(self, token: Token) -> None:
        """Let a token run (again) in its turn."""
        self.forget_failure(token)
        token._set_state(READY)
        heappush(self._agenda, token.id)

    def move(self, token: Token, flows: Sequence[Flow]) -> None:
        """Take a completed token along the flows; along none, it ends here."""
        scope = token.scope
        assert scope is not None
        causes = token.causes
        for flow in flows:
            flow.target.arrive(scope, flow, causes)
        if not flows:
            self.ends_in(scope, causes)
        self.drop(token)

    def ends_in(self, scope: Token, causes: tuple[int, ...]) -> None:
        """Something with these causes has ended in a scope, so it came before whatever follows the scope."""
        if not scope.ended.issuperset(causes):
            scope.ended.update(causes)
            self.touched[scope.id] = scope

    def drop(self, token: Token) -> None:
        """Take a token out; its scope ends with its last one."""
        scope = token.scope
        self.forget(token)
        if scope is not None and token.task_spec.counts:
            scope.live -= 1
            if scope.live == 0:
                self.scope_ended(scope)

    def forget(self, token: Token) -> None:
        """Take a token out, and leave its scope as it is."""
        token_id = token.id
        del self.tasks[token_id]
        if token.scope is not None:
            del token.scope.inside[token_id]
        self.touched.pop(token_id, None)
        self.gone.add(token_id)
        self.open_tasks.discard(token_id)
        self.undos.forget(token)
        if self.failures or self.paused:
            self.failures.pop(token_id, None)
            self.paused.pop(token_id, None)
        if self.groups:
            self._leave_groups(token)
        if token_id in self.waits:
            del self.waits[token_id]
            self.conditions.watching.discard(token_id)

    def _leave_groups(self, token: Token) -> None:
        for key in _groups_of(token):
            members = self.groups.get(key, {})
            members.pop(token.id, None)
            if not members:
                self.groups.pop(key, None)

    def scope_ended(self, scope: Token) -> None:
        """Nothing that counts is left in a scope: its listeners go, and whoever owns it goes on.

        The scope around it may end with that. It then ends after this one, not inside it: a model nests as it likes.
        """
        self._ending.append(scope)
        if len(self._ending) > 1:
            return
        try:
            while self._ending:
                self._end_scope(self._ending[0])
                del self._ending[0]
        finally:
            self._ending.clear()

    def _end_scope(self, scope: Token) -> None:
        if scope.node.goes_on(scope):
            return
        if self.way is not None and scope.scope is not None:
            self.way.ended(scope)
        for listener in list(scope.inside.values()):
            self.cancel_token(listener)
        if scope.ended:
            scope.causes = tuple(sorted(scope.ended))
        scope.node.scope_ended(scope)

    def root_ended(self) -> None:
        """The whole process has ended well."""
        self.forget(self.task_tree)
        self.completed = True

    def cancel_token(self, token: Token, removed: list[Token] | None = None) -> tuple[int, ...]:
        """Take a token and all inside it away; the causes of what may follow instead.

        Those that are taken away are added to ``removed``, as they were.
        """
        causes: set[int] = set()
        pending = [token]
        order: list[Token] = []
        while pending:
            current = pending.pop()
            order.append(current)
            pending.extend(current.inside.values())
        if removed is not None:
            removed.extend(order)
        for current in reversed(order):
            causes.update(current.causes, current.ended)
            if current.id in self.open_tasks:
                causes.add(current.internal_data["task"])
                self.host.withdraw_task(current)
            current._state = CANCELLED
            scope = current.scope
            if current.id in self.undos.rewinding:
                self.undos.leave(current)
            self.forget(current)
            if scope is not None and current.node.counts:
                scope.live -= 1
            if scope is not None and current.node.name in scope.joins:
                self._leave_join(current, scope)
        return tuple(sorted(causes))

    def _leave_join(self, token: Token, scope: Token) -> None:
        queues = scope.joins[token.node.name]
        # An activity that begins once for several tokens has one queue for all of its flows.
        flow_id = token.flow if token.flow in queues else None
        queue = queues.get(flow_id, [])
        if token in queue:
            queue.remove(token)
            if not queue:
                del queues[flow_id]

    def let_go(self) -> None:
        """Part the workflow of a process that has ended from its host and its tokens; nobody uses it any more."""
        self.__dict__.clear()

    # -- from outside

    def task_done(self, token: Token, task_id: int, results: Mapping[str, Any]) -> None:
        """The stone or the person has finished with success."""
        self.open_tasks.discard(token.id)
        causes = token.causes
        token.causes = (*(cause for cause in causes if cause < 0), task_id) if causes and causes[0] < 0 else (task_id,)
        self.conditions.may_differ((task_id,))
        self.attempt(token, lambda: token.task_spec.finish(token, results))

    def task_skipped(self, token: Token, task_id: int) -> None:
        """Somebody goes on without what a stone was to do: nothing is mapped, for nothing was put out."""
        self.open_tasks.discard(token.id)
        self.undos.leave_out(token)
        token.causes = merged(token.causes, (task_id,))
        token.note(skipped=True)
        self.guard(token, token.complete)

    def task_failed(self, token: Token, task_id: int, error: BpmnError | None, reason: str) -> None:
        """The stone has failed for good: with a BPMN error that an event may catch, or without."""
        self.open_tasks.discard(token.id)
        if task_id not in token.causes:
            token.causes = merged(token.causes, (task_id,))
            self.touched[token.id] = token
        if error is None:
            self.fail(token, reason)
        else:
            self._throw_error(token, error)

    def fire(self, token: Token, number: int, payload: Mapping[str, Any], causes: tuple[int, ...] = ()) -> None:
        """What a token waits for has come; ``number`` tells which of several things, ``causes`` what led to it here."""
        for wait in self.waits.get(token.id, ()):
            if wait.number == number:
                self.host.came(token, wait, payload)
        self.guard(token, lambda: token.node.caught(token, number, payload, causes))

    # -- waits

    def wait(self, token: Token, waits: Sequence[Wait]) -> None:
        """The token waits for any of these, and for nothing else."""
        self.stop_waiting(token)
        if not waits:
            return
        self.waits[token.id] = list(waits)
        self.touched[token.id] = token
        if any(wait.kind == "condition" for wait in waits):
            self.conditions.watch(token)

    def stop_waiting(self, token: Token) -> None:
        """The token no longer waits for anything."""
        if self.waits.pop(token.id, None) is not None:
            self.touched[token.id] = token
            self.conditions.watching.discard(token.id)

    # -- interruption

    def interrupt(self, scope: Token, by: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Take away all that runs or listens inside a scope; the causes of what follows instead, ``by`` among them."""
        causes: set[int] = {*scope.causes, *scope.ended, *by}
        removed: list[Token] = []
        for token in list(scope.inside.values()):
            if token.id in scope.inside:
                causes.update(self.cancel_token(token, removed))
        scope.node.interrupted(scope)
        if self.way is not None:
            self.way.removed(removed, tuple(sorted(causes)))
        return tuple(sorted(causes))

    def node_named(self, name: str, scope: Token | None) -> Node:
        """The node with this id in the process that this scope is in; raises RiverstoneError where there is none."""
        while scope is not None and CALLED not in scope.internal_data:
            scope = scope.scope
        node = (self.spec if scope is None else scope.body).find(name)
        if node is None:
            raise RiverstoneError(f"The model has no node {name!r} any more.", code="node-missing")
        return node

    def terminate(self, token: Token, *, everything: bool = False) -> None:
        """End a scope at once, with everything in it (BPMN 2.0, 13.5.6); or the whole instance."""
        scope = self.task_tree if everything else token.scope
        assert scope is not None
        causes = token.causes
        self.ends_in(scope, self.interrupt(scope, causes))
        if not scope.live:
            # Else it waits for an undo that was left behind.
            self.scope_ended(scope)

    def fail(self, token: Token, reason: str, *, alone: bool = True, unforeseen: bool = False) -> None:
        """A token cannot go on; the token stays where it is.

        Where the policy says so it stops alone, unless that cannot be: at a limit, or if it is gone already. At what
        is ``unforeseen`` it does whatever the policy says.
        """
        standing, policy = self._standing(token), None
        if alone and standing is token and token.scope is not None:
            policy = self.host.pauses(standing, unforeseen=unforeseen)
        leaving = standing._state == COMPLETED
        standing._set_state(ERROR)
        standing.note(failed=reason)
        self.open_tasks.discard(standing.id)
        if policy is None:
            self.failures[standing.id] = reason
            return
        self.paused[standing.id] = reason
        standing.note(paused=True)
        if leaving:
            standing.note(leaving=True)
        due = None if policy.patience is None else self.host.now() + policy.patience
        self.wait(standing, [] if due is None else [Wait("timer", due=due)])

    def give_up(self, token: Token) -> None:
        """What had failed and stood still is a failure of the process now."""
        self.failures[token.id] = self.paused.pop(token.id)
        self.stop_waiting(token)
        token.internal_data.pop("paused", None)
        token.note(given_up=True)

    def forget_failure(self, token: Token) -> None:
        """The token is about to go on, whatever was wrong with it."""
        self.failures.pop(token.id, None)
        if self.paused.pop(token.id, None) is not None:
            self.stop_waiting(token)
        for word in ("failed", "paused", "given_up", "leaving", "undo_first"):
            token.internal_data.pop(word, None)  # type: ignore[misc]

    def _standing(self, token: Token) -> Token:
        """The token, or where it is gone already the scope that it was in."""
        while token.id not in self.tasks and token.scope is not None:
            token = token.scope
        return token

    # -- when the agenda is empty

    def _decided(self) -> bool:
        """Whether a join could go on that had waited for others; one that is over a limit fails the process."""
        effort.step(self.host.limits)
        try:
            return self._decide_joins()
        except (BpmnError, RiverstoneError) as error:
            self._not_run(self.task_tree, error)
            return False

    def _decide_joins(self) -> bool:
        """Let the joins decide that act on what can still come; whether one went on."""
        for key in sorted(self.undecided):
            node = self.undecided[key]
            scope = self.tasks.get(key[0])
            if scope is None:
                del self.undecided[key]
            elif node.decide(scope, scope.joins.get(node.name, {})):
                return True
        return False


def _groups_of(token: Token) -> Iterator[GroupKey]:
    internal = token.internal_data
    if HOST in internal:
        yield HOST, internal[HOST]
    if RACE in internal:
        yield RACE, internal[RACE]
