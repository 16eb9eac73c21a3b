"""What happened to the nodes of a process, in colours."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..bpmn.drawing.canvas import Paint
from ..bpmn.drawing.svg import draw_svg
from ..ledger.ledger import HELD_BACK
from ..views.decisions import DecisionMade
from ..views.processes import Picture, Token
from ..views.tasks import Task

RUNNING = Paint(fill="#dbeafe", stroke="#1d4ed8", word="running")
WAITING = Paint(fill="#fef9c3", stroke="#a16207", word="waiting")
SUCCESS = Paint(fill="#dcfce7", stroke="#15803d", word="success")
FAILED = Paint(fill="#fee2e2", stroke="#b91c1c", word="failed")
UNDONE = Paint(fill="#ede9fe", stroke="#6d28d9", word="undone")
RETAINED = Paint(fill="#ffedd5", stroke="#c2410c", word="retained")
CANCELED = Paint(fill="#e5e7eb", stroke="#4b5563", word="canceled")
LEGEND = (RUNNING, WAITING, SUCCESS, FAILED, UNDONE, RETAINED, CANCELED)


def model_picture(xml: str | bytes) -> Picture:
    """The diagram of a model; raises Malformed for what is no XML."""
    return Picture(svg=draw_svg(xml))


def process_picture(
    xml: str | bytes,
    tasks: Iterable[Task],
    tokens: Collection[Token] = (),
    passed: Collection[str] = (),
    decisions: Iterable[DecisionMade] = (),
) -> Picture:
    """The diagram of a model, each node painted by its last task or by what waits there.

    A call activity is painted as its last inner task; ``passed`` are nodes and flows that are known to be done.
    """
    paints = dict.fromkeys(passed, SUCCESS)
    paints |= {made.element_id: SUCCESS for made in decisions if not made.calls}
    failed = {token.calls[0] if token.calls else token.element_id for token in tokens if token.failed}
    paints |= {token.element_id: WAITING if token.waits else RUNNING for token in tokens if not token.calls}
    notes: dict[str, str] = {}
    counts: dict[str, int] = {}
    # Those of called processes first, so that the process's own win where both have a node of the same id.
    for task in sorted(tasks, key=lambda task: not task.calls):
        element = task.element_id
        counts[element] = counts.get(element, 0) + 1
        paints[element] = paint_of(task)
        if task.calls:
            paints[task.calls[0]] = paint_of(task)
        if counts[element] > 1:
            notes[element] = f"×{counts[element]}"
        elif task.end_time is None and 0 < task.progress < 100:
            notes[element] = f"{task.progress} %"
        elif task.undo in ("undone", "retained") and task.status.endswith("failed"):
            notes[element] = "failed"
    paints |= dict.fromkeys(failed, FAILED)
    legend = [paint for paint in LEGEND if paint in paints.values()]
    return Picture(svg=draw_svg(xml, paints=paints, notes=notes, legend=legend))


def paint_of(task: Task) -> Paint:
    """The colour of a task: what became of it in an undo, else how it ended, else what it does."""
    if task.undo == "undone":
        return UNDONE
    if task.undo in ("retained", "left") or task.status.endswith((".retained", ".skipped")):
        return RETAINED
    if task.undo == "failed" or task.status.endswith("failed"):
        return FAILED
    if task.end_time is not None:
        return SUCCESS if task.status.endswith("success") else CANCELED
    return WAITING if task.status in HELD_BACK or task.stone is None else RUNNING
