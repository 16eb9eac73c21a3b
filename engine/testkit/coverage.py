"""Which nodes and flows of which model files the tests of a session have run forward, and which tasks they undid."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..authoring.bundle import examine
from ..bpmn.drawing.canvas import Paint
from ..bpmn.drawing.svg import draw_svg
from ..limits import Limits

if TYPE_CHECKING:
    from .rehearsal import Rehearsal

BOTH = Paint(fill="#bbf7d0", stroke="#15803d", word="run, and undone or retained")
FORWARD = Paint(fill="#dbeafe", stroke="#1d4ed8", word="run, nothing to undo")
NOT_UNDONE = Paint(fill="#fef08a", stroke="#a16207", word="run, but never undone")
NEVER = Paint(fill="#fecaca", stroke="#b91c1c", word="never run")
LEGEND = (BOTH, FORWARD, NOT_UNDONE, NEVER)


@dataclass(kw_only=True, slots=True)
class FileCoverage:
    """One model file. Elements are known by their ids; one without an id cannot be told apart, and is not counted."""

    name: str
    xml: bytes
    keys: frozenset[str]
    """The processes in it."""
    nodes: tuple[str, ...]
    flows: tuple[str, ...]
    tasks: frozenset[str]
    """The nodes that a stone works for."""
    passed: dict[str, int] = field(default_factory=dict)
    """How often each node and flow was passed."""
    undone: set[str] = field(default_factory=set)

    @property
    def missed(self) -> list[str]:
        """Nodes and flows that nothing came to."""
        return [element for element in (*self.nodes, *self.flows) if element not in self.passed]

    @property
    def not_undone(self) -> list[str]:
        """Tasks that were never undone, in the order of the file."""
        return [node for node in self.nodes if node in self.tasks and node not in self.undone]

    def svg(self) -> str:
        """The diagram, painted; the number says how often a task was run."""
        paints = {element: self._paint(element) for element in (*self.nodes, *self.flows)}
        notes = {node: f"×{self.passed[node]}" for node in self.nodes if node in self.tasks and node in self.passed}
        return draw_svg(self.xml, paints=paints, notes=notes, legend=LEGEND)

    def _paint(self, element: str) -> Paint:
        if element not in self.passed:
            return NEVER
        if element in self.undone:
            return BOTH
        return NOT_UNDONE if element in self.tasks else FORWARD

    def lines(self) -> Iterator[str]:
        """What is covered, and what is not."""
        parts = [
            _part("nodes", sum(1 for node in self.nodes if node in self.passed), len(self.nodes)),
            _part("flows", sum(1 for flow in self.flows if flow in self.passed), len(self.flows)),
            _part("undo", len(self.tasks) - len(self.not_undone), len(self.tasks)),
        ]
        yield f"{self.name}  {'  '.join(parts)}"
        if self.missed:
            yield f"    never run: {', '.join(self.missed)}"
        if self.not_undone:
            yield f"    never undone: {', '.join(self.not_undone)}"


class Coverage:
    """The sum over rehearsals; the same content is one file, whatever it is called."""

    def __init__(self) -> None:
        self._files: dict[str, FileCoverage] = {}

    @property
    def files(self) -> Sequence[FileCoverage]:
        """By name."""
        return sorted(self._files.values(), key=lambda file: file.name)

    def add(self, rehearsal: Rehearsal) -> None:
        """Count what a rehearsal has run; call it before the rehearsal is closed."""
        files = [self._file(name, xml) for name, xml in rehearsal.sources]
        for process_instance_id, places in rehearsal.trail.places.items():
            tasks = rehearsal.engine.tasks(process_instance_id)
            # An undo that finds no hook, or a policy that keeps the thing, was tried as well.
            undone = {task.element_id for task in tasks if task.undo in ("undone", "retained")}
            for (key, element), count in places.items():
                # The newest file that holds the process, as it is the one that was run.
                holder = next((file for file in reversed(files) if key in file.keys), None)
                if holder is not None:
                    self._count(holder, element, count, undone=element in undone)

    def _count(self, file: FileCoverage, element: str, count: int, *, undone: bool) -> None:
        file.passed[element] = file.passed.get(element, 0) + count
        if undone:
            file.undone.add(element)

    def _file(self, name: str, xml: bytes) -> FileCoverage:
        digest = hashlib.sha256(xml).hexdigest()
        if digest not in self._files:
            self._files[digest] = _read(name, xml)
        return self._files[digest]

    def data(self) -> list[dict[str, Any]]:
        """All of it as JSON, for :meth:`merge` in another process."""
        return [
            {"name": file.name, "xml": file.xml.hex(), "passed": file.passed, "undone": sorted(file.undone)}
            for file in self.files
        ]

    def merge(self, data: Sequence[dict[str, Any]]) -> None:
        """Add what another process has counted."""
        for each in data:
            file = self._file(each["name"], bytes.fromhex(each["xml"]))
            for element, count in each["passed"].items():
                self._count(file, element, count, undone=element in each["undone"])

    @property
    def percent(self) -> float:
        """Of all nodes, flows and undos together; 100 where there are none."""
        wanted = sum(len(file.nodes) + len(file.flows) + len(file.tasks) for file in self.files)
        missed = sum(len(file.missed) + len(file.not_undone) for file in self.files)
        return 100.0 * (wanted - missed) / wanted if wanted else 100.0

    def text(self) -> str:
        """The report in plain lines."""
        lines = [line for file in self.files for line in file.lines()]
        return "\n".join([*lines, f"in all {self.percent:.0f} %"]) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """Write ``coverage.txt`` and a picture for each file; their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        written = [folder / "coverage.txt"]
        written[0].write_text(self.text(), encoding="utf-8")
        for file in self.files:
            stem = re.sub(r"[^\w.-]+", "_", file.name.removesuffix(".bpmn")) or "model"
            path = folder / f"{stem}.svg"
            if path in written:
                path = folder / f"{stem}-{hashlib.sha256(file.xml).hexdigest()[:8]}.svg"
            path.write_text(file.svg(), encoding="utf-8")
            written.append(path)
        return written


def _read(name: str, xml: bytes) -> FileCoverage:
    parsed = examine([xml], [name], limits=Limits(model_size=max(len(xml), 1), model_nodes=1_000_000), scripts=True)
    nodes = {node.bpmn_id: node for process in parsed.processes.values() for node in process.walk()}
    text = xml.decode("utf-8", "replace")
    known = set(re.findall(r"""\sid\s*=\s*["']([^"']+)["']""", text))
    flows = dict.fromkeys(flow.id for node in nodes.values() for flow in node.outgoing)
    return FileCoverage(
        name=name,
        xml=xml,
        keys=frozenset(parsed.processes),
        nodes=tuple(node for node in nodes if node in known),
        flows=tuple(flow for flow in flows if flow in known),
        tasks=frozenset(str(task.bpmn_id) for task in parsed.stone_tasks if task.bpmn_id in known),
    )


def _part(word: str, done: int, of: int) -> str:
    return f"{word} {done}/{of}" + (f" {100 * done // of} %" if of else "")
