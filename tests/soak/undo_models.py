"""Random models made of blocks, so that it is known which task must come before which."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from xml.sax.saxutils import escape

from ..features.sketch import definitions, flow, process, service

PLAIN = ("make", "make", "watch", "watch", "watch", "stubborn", "mail", "shy")
STONES = (*PLAIN, "make", "risky", "hang")


@dataclass
class RandomModel:
    """One model; ``places`` says for each stone node where it stands: a path of (kind of block, position)."""

    random: Random
    hurry: int = 1
    """How many times shorter all times are, for a clock that cannot be moved."""
    places: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    policies: dict[str, str] = field(default_factory=dict)
    handled: dict[str, set[str]] = field(default_factory=dict)
    """The stone nodes inside each sub-process that has a compensation handler, and those of what it calls."""
    inside: list[set[str]] = field(default_factory=list)
    """The stone nodes of the blocks around the present one."""
    plain: bool = False
    """Whether sub-processes have no handlers, and no stone hangs or throws an error of the model."""
    partial: bool = False
    """Whether errors and compensations have stones take back what they made, before the flow goes on."""
    last: int = 0

    def source(self) -> bytes:
        """The BPMN file."""
        parts, flows, artifacts, entry, leave = self.sequence(3 if self.plain else self.random.choice((2, 2, 3)), ())
        if not self.plain and self.random.random() < 0.3:
            # What fails at the end has everything taken back.
            self.places["doom"] = (("sequence", 99), ("task", 0))
            self.policies["doom"] = "delete"
            parts.append(service("doom", "doom"))
            flows.append(flow(leave, "doom"))
            leave = "doom"
        main = process(
            "main",
            '<startEvent id="begin"/><endEvent id="done"/>',
            *parts,
            flow("begin", entry),
            *flows,
            flow(leave, "done"),
            *artifacts,
        )
        return definitions(main, *self.others)

    def name(self, prefix: str) -> str:
        """An id that is not used yet."""
        self.last += 1
        return f"{prefix}{self.last}"

    def sequence(self, depth: int, place: tuple[tuple[str, int], ...]) -> Block:
        """Blocks one after the other."""
        block = self.block(depth, (*place, ("sequence", 0)))
        for position in range(1, self.random.randint(1, 3)):
            block = _joined(block, self.block(depth, (*place, ("sequence", position))))
        return block

    def block(self, depth: int, place: tuple[tuple[str, int], ...]) -> Block:
        """Any one block."""
        if depth == 0:
            return self.task(place)
        kinds = (self.task, self.task, self.task, self.split, self.split, self.nested, self.nested, self.called)
        made = self.random.choice(kinds)
        return made(place) if made == self.task else made(place, depth)  # type: ignore[call-arg]

    def task(self, place: tuple[tuple[str, int], ...]) -> Block:
        """A stone task, perhaps repeated, with a policy, an interrupting timer or a compensation handler."""
        node = self.name("t")
        stone = self.random.choice(PLAIN if self.plain else STONES)
        flag = self.random.choice((*[""] * 8, "undoOnError", "undoOnCompensation")) if self.partial else ""
        stone = "risky" if flag == "undoOnError" else stone
        repeated = self.repeated()
        self.places[node] = (*place, ("repeated" if repeated else "task", 0))
        for around in self.inside:
            around.add(node)
        self.policies[node] = policy = self.random.choice(("retain", "retain-except-on-failed-start", *["delete"] * 18))
        text = (
            f'<serviceTask id="{node}" camunda:type="external" camunda:topic="{stone}"><extensionElements>'
            f'<camunda:properties><camunda:property name="undoPolicy" value="{policy}"/>{_set(flag)}'
            f"</camunda:properties></extensionElements>{repeated}</serviceTask>"
        )
        parts, leave = [text], node
        flows: list[str] = []
        artifacts: list[str] = []
        if flag:
            leave = self.taken_back(flag, node, parts, flows)
        elif stone == "watch" and self.random.random() < 0.3:
            leave = self.timer(node, parts, flows)
        elif stone == "risky" and self.random.random() < 0.8:
            leave = self.merged(node, '<errorEventDefinition id="{0}d"/>', parts, flows)
        elif stone == "make" and not repeated and self.random.random() < 0.2:
            handler, event = self.name("h"), self.name("c")
            own = f"${{outputs.{node}.id}}"
            parts.append(
                f'<boundaryEvent id="{event}" attachedToRef="{node}"><compensateEventDefinition id="{event}d"/>'
                "</boundaryEvent>"
                f'<serviceTask id="{handler}" isForCompensation="true" camunda:type="external" camunda:topic="take">'
                '<extensionElements><camunda:inputOutput><camunda:inputParameter name="of">'
                f"{escape(own)}</camunda:inputParameter></camunda:inputOutput></extensionElements></serviceTask>"
            )
            artifacts.append(
                f'<association id="{event}a" sourceRef="{event}" targetRef="{handler}" associationDirection="One"/>'
            )
        return parts, flows, artifacts, node, leave

    def timer(self, node: str, parts: list[str], flows: list[str]) -> str:
        """An interrupting timer on the border, whose path comes together with the normal one; what they end in."""
        seconds = self.random.choice((5, 15, 25)) / self.hurry
        definition = (
            f'<timerEventDefinition id="{{0}}d"><timeDuration>PT{seconds:g}S</timeDuration></timerEventDefinition>'
        )
        return self.merged(node, definition, parts, flows)

    def taken_back(self, flag: str, node: str, parts: list[str], flows: list[str]) -> str:
        """What has stones take back what an activity made: an error that leaves it, or a compensation after it."""
        if flag == "undoOnError":
            return self.merged(node, '<errorEventDefinition id="{0}d"/>', parts, flows)
        throw = self.name("throw")
        definition = f'<compensateEventDefinition id="{throw}d" activityRef="{node}"/>'
        parts.append(f'<intermediateThrowEvent id="{throw}">{definition}</intermediateThrowEvent>')
        flows.append(flow(node, throw))
        return throw

    def merged(self, node: str, definition: str, parts: list[str], flows: list[str]) -> str:
        """An interrupting event on the border, whose path comes together with the normal one; what they end in."""
        event, merge = self.name("b"), self.name("g")
        parts.append(
            f'<boundaryEvent id="{event}" attachedToRef="{node}">{definition.format(event)}</boundaryEvent>'
            f'<exclusiveGateway id="{merge}"/>'
        )
        flows.extend((flow(node, merge), flow(event, merge)))
        return merge

    def repeated(self) -> str:
        """The marker of a loop or of many runs, or none."""
        number = self.random.randint(0, 3)
        which = self.random.random()
        if which < 0.7:
            return ""
        if which < 0.8:
            return f'<standardLoopCharacteristics loopMaximum="{max(number, 1)}"/>'
        sequential = "true" if which < 0.9 else "false"
        return (
            f'<multiInstanceLoopCharacteristics isSequential="{sequential}"><loopCardinality>{number}'
            "</loopCardinality></multiInstanceLoopCharacteristics>"
        )

    def split(self, place: tuple[tuple[str, int], ...], depth: int) -> Block:
        """Branches of which all, one, or some are taken."""
        kind = self.random.choice(("parallel", "exclusive", "inclusive"))
        fork, join = self.name("f"), self.name("j")
        default = "" if kind == "parallel" else f' default="{fork}_default"'
        parts = [f'<{kind}Gateway id="{fork}"{default}/>', f'<{kind}Gateway id="{join}"/>']
        flows: list[str] = []
        artifacts: list[str] = []
        for position in range(self.random.randint(2, 3)):
            more, inner, marks, entry, leave = self.sequence(depth - 1, (*place, (kind, position)))
            parts += more
            artifacts += marks
            condition = None
            if kind != "parallel" and position:
                condition = f"${{{self.random.choice(('true', 'false'))}}}"
            flows += [*inner, flow(fork, entry, condition), flow(leave, join)]
            if kind != "parallel" and not position:
                flows[-2] = f'<sequenceFlow id="{fork}_default" sourceRef="{fork}" targetRef="{entry}"/>'
        return parts, flows, artifacts, fork, join

    def nested(self, place: tuple[tuple[str, int], ...], depth: int) -> Block:
        """A sub-process, perhaps repeated."""
        node, repeated = self.name("s"), self.repeated()
        begin, done = self.name("b"), self.name("e")
        self.inside.append(set())
        around = (*place, ("repeated" if repeated else "nested", 0))
        parts, flows, artifacts, entry, leave = self.sequence(depth - 1, around)
        flag = self.random.choice(("", "undoOnError", "undoOnCompensation")) if self.partial else ""
        if flag == "undoOnError":
            throws = self.name("t")
            self.places[throws], self.policies[throws] = (*around, ("sequence", 9), ("task", 0)), "delete"
            parts.append(service(throws, "risky"))
            flows.append(flow(leave, throws))
            leave = throws
        made = self.inside.pop()
        own = ""
        handled = 1.0 if self.plain else self.random.random()
        if handled < 0.15:
            own = self.own_handler(node)
        body = "".join((*parts, own, flow(begin, entry), *flows, flow(leave, done), *artifacts))
        said = f"<extensionElements><camunda:properties>{_set(flag)}</camunda:properties></extensionElements>"
        ends = f'<startEvent id="{begin}"/><endEvent id="{done}"/>'
        text = f'<subProcess id="{node}">{said if flag else ""}{repeated}{ends}{body}</subProcess>'
        outside = self.handler(node, several=handled < 0.3) if 0.15 <= handled < 0.45 else ("", "")
        if handled < 0.45:
            self.handled[node] = made
        beside: list[str] = []
        lines: list[str] = []
        leave = self.taken_back(flag, node, beside, lines) if flag else node
        return [text, outside[0], *beside], lines, [outside[1]], node, leave

    def own_handler(self, node: str) -> str:
        """A compensation event sub-process."""
        begin = f'<startEvent id="{node}_asked"><compensateEventDefinition id="{node}_asking"/></startEvent>'
        steps = self.steps(node, f"{node}_asked")
        return f'<subProcess id="{node}_own" triggeredByEvent="true">{begin}{steps}</subProcess>'

    def steps(self, node: str, begin: str) -> str:
        """Two stones one after the other, the last of which takes everything back."""
        first = service(f"{node}_first", "sweep")
        return f"{first}{service(f'{node}_last', 'sweep', {'last': '${true}'})}" + "".join(
            (flow(begin, f"{node}_first"), flow(f"{node}_first", f"{node}_last"))
        )

    def handler(self, node: str, *, several: bool) -> tuple[str, str]:
        """A handler on the border, of one step or several, and the association that comes last."""
        name = f"{node}_handler"
        if several:
            steps = f'<startEvent id="{node}_begin"/>{self.steps(node, f"{node}_begin")}'
            text = f'<subProcess id="{name}" isForCompensation="true">{steps}</subProcess>'
        else:
            text = service(name, "sweep", {"last": "${true}"}, isForCompensation="true")
        event = f'<boundaryEvent id="{node}_on" attachedToRef="{node}"><compensateEventDefinition id="{node}_by"/>'
        line = f'<association id="{node}_line" sourceRef="{node}_on" targetRef="{name}" associationDirection="One"/>'
        return f"{event}</boundaryEvent>{text}", line

    def called(self, place: tuple[tuple[str, int], ...], depth: int) -> Block:
        """A call of another process in the same file."""
        node, key = self.name("call"), self.name("p")
        begin, done = self.name("b"), self.name("e")
        parts, flows, artifacts, entry, leave = self.sequence(depth - 1, (*place, ("called", 0)))
        ends = f'<startEvent id="{begin}"/><endEvent id="{done}"/>'
        self.others.append(process(key, ends, *parts, flow(begin, entry), *flows, flow(leave, done), *artifacts))
        return [f'<callActivity id="{node}" calledElement="{key}"/>'], [], [], node, node

    def is_single(self, node: str) -> bool:
        """Whether the node runs once at most."""
        return not any(kind == "repeated" for kind, _ in self.places[node])

    def precedes(self, one: str, other: str) -> bool:
        """Whether the model says that every execution of one node comes before every one of the other."""
        for here, there in zip(self.places[one], self.places[other], strict=False):
            if here[0] == "repeated":
                return False
            if here != there:
                return here[0] == there[0] == "sequence" and here[1] < there[1]
        return False


Block = tuple[list[str], list[str], list[str], str, str]
"""Elements, flows, artifacts, where a token comes in, and where it leaves."""


def _set(flag: str) -> str:
    return f'<camunda:property name="{flag}" value="true"/>' if flag else ""


def _joined(one: Block, other: Block) -> Block:
    flows = [*one[1], flow(one[4], other[3]), *other[1]]
    return [*one[0], *other[0]], flows, [*one[2], *other[2]], one[3], other[4]
