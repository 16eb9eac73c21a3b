"""Conditions and decisions in FEEL, relative to a JUEL comparison in the same run, and beside other engines."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from riverstone.engine import Limits
from riverstone.engine.dmn.decisions import Decisions, evaluate
from riverstone.engine.language.compiler import Compiler
from riverstone.engine.language.context import Context
from riverstone.engine.language.expressions import compile_expression

from .bench import Bench
from .measure import Spent, alternate
from .table import Row

FEELIN = Path(__file__).parents[1] / "conformance" / "feelin"
LIMITS = Limits()
VARIABLES = {
    "a": 3,
    "b": 7,
    "amount": 120.5,
    "orders": [{"price": number, "open": True} for number in range(100)],
} | {f"x{number}": number for number in range(5)}
JUEL = "a < b"
READ = ("a < b", "orders[price > 50]")
"""What the peers can evaluate too."""
TARGETS = {"a < b": 1.5, "amount * 1.19 > 100 and a < b": 0.0, "orders[price > 50]": 80.0, "sum(orders.price)": 0.0}
"""What is compared, and how many times as long as the JUEL comparison it may take; 0 where nobody said."""


def measure(bench: Bench) -> list[Row]:
    """Evaluate each of them, and compile; a decision is a table of 100 rules and 5 inputs of which the last fits."""
    times = bench.size(2_000, 20)
    context = Context(VARIABLES)
    juel = compile_expression(JUEL, language="juel", limits=LIMITS)
    works: dict[str, tuple[Callable[[], object], int]] = {
        "juel": (_often(lambda: juel.evaluate(context), times), times)
    }
    for text in TARGETS:
        feel = compile_expression(text, language="feel", limits=LIMITS)
        works[text] = (_often(lambda feel=feel: feel.evaluate(context), times), times)  # type: ignore[misc]
    decision = Decisions([etree.fromstring(table(100, 5))], Compiler(LIMITS)).by_id["t"]
    tables = bench.size(200, 2)
    works["table"] = (_often(lambda: evaluate(decision, context), tables), tables)
    compiled = bench.size(200, 2)
    for language in ("juel", "feel"):
        works[f"compile {language}"] = (
            _often(lambda language=language: _compiled(language), compiled),  # type: ignore[misc]
            compiled,
        )
    taken = alternate(works, bench.rounds)
    base = taken["juel"]
    rows = [_row(f"JUEL: {JUEL}", base, base, 0)]
    rows += [_row(f"FEEL: {text}", taken[text], base, most) for text, most in TARGETS.items()]
    rows.append(_row("a table of 100 rules and 5 inputs", taken["table"], base, 250))
    rows.append(_row("compile a comparison in JUEL", taken["compile juel"], taken["compile juel"], 0))
    rows.append(_row("compile a comparison in FEEL", taken["compile feel"], taken["compile juel"], 1.5))
    return rows + _beside_peers(bench)


def _beside_peers(bench: Bench) -> list[Row]:
    """Reading an expression and evaluating it: the peers keep nothing that they have read."""
    times, context = bench.size(200, 2), Context(VARIABLES)
    works: dict[str, tuple[Callable[[], object], int]] = {}
    for text in READ:
        read = lambda text=text: compile_expression(text, language="feel", limits=LIMITS).evaluate(context)  # noqa: E731
        works[f"riverstone {text}"] = (_often(read, times), times)
        if (parse := _bkflow()) is not None:
            works[f"bkflow-feel {text}"] = (_often(lambda text=text: parse(text, VARIABLES), times), times)  # type: ignore[misc]
    taken = {name: each.cpu for name, each in alternate(works, bench.rounds).items()}
    taken |= _feelin(times)
    rows = []
    for peer in ("riverstone", "bkflow-feel", "feelin"):
        for text in READ:
            if (cpu := taken.get(f"{peer} {text}")) is not None:
                beside = f"{cpu / taken[f'riverstone {text}']:.2f} times riverstone"
                rows.append(Row(f"read and evaluate {text}: {peer}", f"{cpu * 1e6:,.2f} us CPU", beside))
    if _bkflow() is None:
        rows.append(Row("bkflow-feel: pip install -r tests/benchmarks/requirements.txt", "missing"))
    if not any(name.startswith("feelin") for name in taken):
        rows.append(Row("feelin: npm ci --prefix tests/conformance/feelin --ignore-scripts", "missing"))
    return rows


def _bkflow() -> Callable[[str, dict[str, Any]], object] | None:
    try:
        found: Callable[[str, dict[str, Any]], object] = importlib.import_module("bkflow_feel.api").parse_expression
    except ImportError:
        return None
    return found


def _feelin(times: int) -> dict[str, float]:
    """Seconds of CPU by expression, in a Node.js of its own; nothing where that or feelin is missing."""
    if shutil.which("node") is None or not (FEELIN / "node_modules").exists():
        return {}
    asked = json.dumps({"texts": READ, "context": VARIABLES, "times": times})
    made = subprocess.run(["node", "times.mjs"], cwd=FEELIN, input=asked, capture_output=True, text=True, check=True)
    return {f"feelin {text}": taken / 1e6 for text, taken in zip(READ, json.loads(made.stdout), strict=True)}


def table(rules: int, inputs: int) -> bytes:
    """A decision table of which only the last rule fits, by its last cell."""
    columns = "".join(
        f"<input><inputExpression><text>x{number}</text></inputExpression></input>" for number in range(inputs)
    )
    rows = ""
    for rule in range(rules):
        cells = ["&lt; 100"] * (inputs - 1) + [escape("> 0" if rule == rules - 1 else f"[{rule + 50}..{rule + 60}]")]
        rows += "".join(["<rule>", *[f"<inputEntry><text>{cell}</text></inputEntry>" for cell in cells]])
        rows += f"<outputEntry><text>{rule}</text></outputEntry></rule>"
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d">'
        f'<decision id="t" name="t"><decisionTable hitPolicy="FIRST">{columns}<output name="o"/>{rows}'
        "</decisionTable></decision></definitions>"
    ).encode()


def _compiled(language: str) -> object:
    return compile_expression(JUEL, language="feel" if language == "feel" else "juel", limits=LIMITS)


def _often(work: Callable[[], object], times: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(times):
            work()

    return run


def _row(work: str, taken: Spent, base: Spent, most: float) -> Row:
    times = taken.cpu / base.cpu
    target = f"<= {most:g} times" if most else ""
    figure = f"{taken.cpu * 1e6:,.2f} us CPU"
    return Row(work, figure, f"{times:.2f} times JUEL", target=target, met=times <= most if most else None)
