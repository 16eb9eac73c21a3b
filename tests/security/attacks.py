"""BPMN files and bodies that somebody with bad intentions might send."""

from __future__ import annotations

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="urn:attacks">'
)


def process(body: str, *, before: str = "", key: str = "attack") -> bytes:
    """A file of one process."""
    return f'{HEAD}{before}<process id="{key}" isExecutable="true">{body}</process></definitions>'.encode()


def flow(flow_id: str, source: str, target: str, condition: str = "") -> str:
    """A sequence flow."""
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{flow_id}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def around(node: str, *, before: str = "", condition: str = "") -> bytes:
    """A start, the node ``m``, and an end."""
    body = '<startEvent id="s"/>' + flow("a", "s", "m") + node + flow("b", "m", "e", condition) + '<endEvent id="e"/>'
    return process(body, before=before)


def blocks(count: int) -> bytes:
    """Parallel blocks of two, one after the other."""
    body, before = ['<startEvent id="s"/>'], "s"
    for i in range(count):
        body.append(f'<parallelGateway id="f{i}"/><parallelGateway id="j{i}"/>{flow(f"i{i}", before, f"f{i}")}')
        for side in "lr":
            body.append(f'<task id="{side}{i}"/>{flow(f"x{side}{i}", f"f{i}", f"{side}{i}")}')
            body.append(flow(f"y{side}{i}", f"{side}{i}", f"j{i}"))
        before = f"j{i}"
    return process("".join(body) + '<endEvent id="e"/>' + flow("last", before, "e"))


def doubling(count: int) -> bytes:
    """Two flows from each task to the next: twice the tokens at every step."""
    body, before = ['<startEvent id="s"/>'], "s"
    for i in range(count):
        body.append(f'<task id="t{i}"/>{flow(f"a{i}", before, f"t{i}")}{flow(f"b{i}", before, f"t{i}") if i else ""}')
        before = f"t{i}"
    return process("".join(body) + '<endEvent id="e"/>' + flow("last", before, "e"))


def repeated(inner: str, count: str) -> str:
    """A node whose content is run ``count`` times at once."""
    times = f"<multiInstanceLoopCharacteristics><loopCardinality>{count}</loopCardinality>"
    return inner.replace("/>", f">{times}</multiInstanceLoopCharacteristics></{inner[1:].split()[0]}>", 1)


def cycle(time: str) -> bytes:
    """A user task with a repeating timer at its side."""
    return process(
        '<startEvent id="s"/><userTask id="u"/><endEvent id="e"/><endEvent id="f"/>'
        '<boundaryEvent id="m" attachedToRef="u" cancelActivity="false"><timerEventDefinition id="t">'
        f"<timeCycle>{time}</timeCycle></timerEventDefinition></boundaryEvent>"
        + flow("a", "s", "u")
        + flow("b", "m", "e")
        + flow("c", "u", "f")
    )


def forking() -> bytes:
    """A task that leads to itself twice."""
    return process(
        '<startEvent id="s"/><task id="t"/>' + flow("a", "s", "t") + flow("b", "t", "t") + flow("c", "t", "t")
    )


def circle() -> bytes:
    """Two nodes that lead to each other, without anything to wait for."""
    nodes = '<startEvent id="s"/><exclusiveGateway id="g"/><task id="t"/>'
    return process(nodes + flow("a", "s", "g") + flow("b", "g", "t") + flow("c", "t", "g"))


def entity(declaration: str, encoding: str = "utf-8") -> bytes:
    """A file with a document type declaration, whose name is the entity ``x``."""
    text = around('<task id="m" name="&amp;"/>').decode().replace("&amp;", "&x;")
    said = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE definitions [{declaration}]>{text}'
    return said.encode(encoding)


CALL = '<callActivity id="m" calledElement="attack"/>'
NESTED = (
    '<subProcess id="m"><multiInstanceLoopCharacteristics><loopCardinality>9000</loopCardinality>'
    '</multiInstanceLoopCharacteristics><startEvent id="i"/><sequenceFlow id="ia" sourceRef="i" targetRef="im"/>'
    + repeated('<task id="im"/>', "9000")
    + "</subProcess>"
)
LAUGHS = '<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghx", strict=True)
)

REFUSED_FILES: dict[str, bytes] = {
    "an entity that reads a file": entity('<!ENTITY x SYSTEM "file:///etc/passwd">'),
    "an entity from the network": entity('<!ENTITY x SYSTEM "http://127.0.0.1:1/x">'),
    "an entity in another encoding": entity('<!ENTITY x SYSTEM "file:///etc/passwd">', "utf-16"),
    "a parameter entity": entity('<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;'),
    "a billion laughs": entity(LAUGHS),
    "an empty document type": b"<!DOCTYPE definitions>" + around('<task id="m"/>'),
    "an include of a file": around(
        '<task id="m"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/></task>'
    ),
    "100,000 levels": HEAD.encode() + b"<x>" * 100_000 + b"</x>" * 100_000 + b"</definitions>",
    "3 MiB": HEAD.encode() + b" " * (3 << 20) + b"</definitions>",
    "250,000 tasks": process("<task/>" * 250_000),
    "180,000 messages": process("", before="<message/>" * 180_000),
    "120,000 flows": process("<sequenceFlow/>" * 120_000),
    "250,000 comments": process("<!---->" * 250_000),
    "300,000 instructions": process("<?a?>" * 300_000),
    "100,000 attributes": process("<task " + " ".join(f'a{i}=""' for i in range(100_000)) + "/>"),
    "50,000 namespaces": process("".join(f'<n{i}:x xmlns:n{i}="urn:{i}"/>' for i in range(50_000))),
    "2,001 nodes": process("".join(f'<task id="t{i}"/>' for i in range(2_001))),
    "a key of 100,000 characters": process("", key="k" * 100_000),
    "an id of 300 characters": process(f'<userTask id="{"m" * 300}"/>'),
    "a script in Python": around(
        '<scriptTask id="m" scriptFormat="python"><script>open("/tmp/x", "w")</script></scriptTask>'
    ),
    "a power in a condition": around('<task id="m"/>', condition="${9**9**9 &gt; 1}"),
    "2,000 brackets in a condition": around('<task id="m"/>', condition="${" + "(" * 2000 + "1" + ")" * 2000 + "}"),
    "300,000 words in a condition": around('<task id="m"/>', condition="${" + "x and " * 300_000 + "x}"),
    "a cycle with an endless number": cycle("R" + "9" * 400 + "/PT1S"),
    "bytes": bytes(range(256)),
    "compressed": b"\x1f\x8b\x08\x00" + b"x" * 100,
    "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>+ADw-definitions/+AD4-',
}

RUNAWAYS: dict[str, tuple[bytes, str]] = {
    "two tokens for each": (doubling(20), "tokens"),
    "two tokens for each, 600 times": (doubling(600), "tokens"),
    "a task that leads to itself twice": (forking(), "tokens"),
    "a circle": (circle(), "steps_per_turn"),
    "a loop without end": (
        around(
            '<task id="m"><standardLoopCharacteristics><loopCondition>true</loopCondition>'
            "</standardLoopCharacteristics></task>"
        ),
        "steps_per_turn",
    ),
    "a call of itself": (around(CALL), "call_depth"),
    "ten calls of itself": (around(repeated(CALL, "10")), "tokens"),
    "a thousand million runs": (around(repeated('<task id="m"/>', "1000000000")), "multi_instance"),
    "runs of runs": (around(NESTED), "tokens"),
    "a cycle without time": (cycle("R100000000/PT0S"), "timer_interval"),
    "an endless cycle without time": (cycle("R/PT0.001S"), "timer_interval"),
}

BODIES: dict[str, tuple[bytes, int]] = {
    "500 levels": (b'{"a":' * 500 + b"1" + b"}" * 500, 400),
    "100,000 brackets": (b"[" * 100_000, 400),
    "not a number": (b'{"key": "k", "processName": "x", "variables": {"a": NaN}}', 400),
    "infinity": (b'{"key": "k", "processName": "x", "variables": {"a": 1e999}}', 422),
    "a member twice": (b'{"key": "k", "key": "k", "processName": "x", "variables": {}}', 400),
    "a number of 10,000 digits": (
        b'{"key": "k", "processName": "x", "variables": {"a": ' + b"9" * 10_000 + b"}}",
        422,
    ),
    "a lone surrogate": (b'{"key": "k", "processName": "x", "variables": {"a": "\\ud800"}}', 422),
    "NUL": (b'{"key": "k", "processName": "x", "variables": {"a": "\\u0000"}}', 422),
    "NUL in a name": (b'{"key": "k", "processName": "x", "variables": {"\\u0000": 1}}', 422),
    "2 MiB": (b'{"a": "' + b"a" * (2 << 20) + b'"}', 413),
    "wrong UTF-8": (b'{"key": "\xff\xfe"}', 400),
    "a list": (b"[]", 422),
    "a text": (b'"x"', 422),
    "nothing": (b"", 400),
    "an unfinished object": (b'{"key": ', 400),
    "Python": (b"{'key': __import__('os').getpid()}", 400),
}

ESCAPES = (
    "__import__('os').system('touch {file}')",
    "open('{file}', 'w')",
    'eval(\'open("{file}", "w")\')',
    'exec(\'open("{file}", "w")\')',
    "().__class__.__base__.__subclasses__()",
    "().__class__.__mro__[1].__subclasses__()[0].__init__.__globals__",
    "parameters.__class__.__init__.__globals__",
    "outputs.__class__.__mro__",
    "(lambda: open('{file}', 'w'))()",
    "[open('{file}', 'w') for x in [1]]",
    "[x for x in ().__class__.__base__.__subclasses__() if x.__name__ == 'Popen'][0]('touch {file}', shell=True)",
    "getattr(parameters, '__class__')",
    "'{0.__class__}'.format(parameters)",
    'f\'{open("{file}", "w")}\'',
    "datetime.datetime.__init__.__globals__['sys'].modules['os'].system('touch {file}')",
    "timedelta.__class__.__base__.__subclasses__()",
    "breakpoint()",
    "globals()['__builtins__']",
    "(x := open('{file}', 'w'))",
    "T(java.lang.Runtime).getRuntime().exec('touch {file}')",
    "''.getClass().forName('java.lang.Runtime')",
    "cycler.__init__.__globals__.os.popen('touch {file}').read()",
)

OUTPUTS = "".join(
    f'<camunda:outputParameter name="v{number}">${{concat(big, "")}}</camunda:outputParameter>' for number in range(500)
)
THROW = '<intermediateThrowEvent id="m"><signalEventDefinition id="d" signalRef="x"/></intermediateThrowEvent>'
WATCHED = "".join(
    f'<boundaryEvent id="b{number}" attachedToRef="w" cancelActivity="false">'
    f'<conditionalEventDefinition id="c{number}">'
    f"<condition>${{v == {number} + 1}}</condition></conditionalEventDefinition></boundaryEvent>"
    f'<endEvent id="e{number}"/><sequenceFlow id="g{number}" sourceRef="b{number}" targetRef="e{number}"/>'
    for number in range(200)
)


def turning(condition: str, inside: str = '<task id="m"/>', *, beside: str = "", before: str = "") -> bytes:
    """A loop that goes on while the condition holds, with something that stands beside it."""
    return process(
        f'<startEvent id="s"/>{inside}<exclusiveGateway id="g"/><endEvent id="e"/>'
        '<sequenceFlow id="f1" sourceRef="s" targetRef="m"/><sequenceFlow id="f2" sourceRef="m" targetRef="g"/>'
        f'<sequenceFlow id="f3" sourceRef="g" targetRef="m"><conditionExpression>{condition}</conditionExpression>'
        f'</sequenceFlow><sequenceFlow id="f4" sourceRef="g" targetRef="e"/>{beside}'.replace(
            '<exclusiveGateway id="g"/>', '<exclusiveGateway id="g" default="f4"/>'
        ),
        before=before,
    )


WATCHING = (
    '<userTask id="w"/><sequenceFlow id="f5" sourceRef="s" targetRef="w"/><endEvent id="we"/>'
    f'<sequenceFlow id="f6" sourceRef="w" targetRef="we"/>{WATCHED}'
)
SETTING = (
    '<task id="m"><extensionElements><camunda:inputOutput><camunda:outputParameter name="v">${0}'
    "</camunda:outputParameter></camunda:inputOutput></extensionElements></task>"
)
COSTLY: dict[str, tuple[bytes, str]] = {
    "a long text sought through again and again": (turning("${!contains(big, 'zz')}"), "turn_work"),
    "lists compared again and again": (turning("${" + " and ".join(["list == list"] * 90) + "}"), "step_work"),
    "sums over and over": (turning("${" + " and ".join(["sum(list) >= 0"] * 50) + "}"), "step_work"),
    "joins without end": (turning("=" + " and ".join(["concatenate(list, list) != null"] * 35)), "step_work"),
    "many conditions and a variable that changes": (turning("${true}", SETTING, beside=WATCHING), "turn_work"),
    "a thousand copies of a large text": (
        around(
            f'<task id="m"><extensionElements><camunda:inputOutput>{OUTPUTS}</camunda:inputOutput></extensionElements>'
            "</task>"
        ),
        "step_work",
    ),
    "a large parameter for each of many runs": (
        around(
            '<serviceTask id="m" camunda:type="external" camunda:topic="say"><extensionElements><camunda:inputOutput>'
            '<camunda:inputParameter name="what">${big}</camunda:inputParameter></camunda:inputOutput>'
            "</extensionElements><multiInstanceLoopCharacteristics><loopCardinality>500</loopCardinality>"
            "</multiInstanceLoopCharacteristics></serviceTask>"
        ),
        "instance_size",
    ),
    "signals without end": (turning("${true}", THROW, before='<signal id="x" name="x"/>'), "throws_per_turn"),
}
