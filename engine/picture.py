"""What happened to the nodes of a process, in colours."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .bpmn.canvas import Paint
from .bpmn.svg import draw_svg
from .views import Task

RUNNING = Paint(fill="#dbeafe", stroke="#1d4ed8", word="running")
WAITING = Paint(fill="#fef9c3", stroke="#a16207", word="waiting")
SUCCESS = Paint(fill="#dcfce7", stroke="#15803d", word="success")
FAILED = Paint(fill="#fee2e2", stroke="#b91c1c", word="failed")
UNDONE = Paint(fill="#ede9fe", stroke="#6d28d9", word="undone")
RETAINED = Paint(fill="#ffedd5", stroke="#c2410c", word="retained")
CANCELED = Paint(fill="#e5e7eb", stroke="#4b5563", word="canceled")
LEGEND = (RUNNING, WAITING, SUCCESS, FAILED, UNDONE, RETAINED, CANCELED)


def paint_of(task: Task) -> Paint:
    """The colour of a task: what became of it in an undo, else how it ended, else what it does."""
    if task.undo == "undone":
        return UNDONE
    if task.undo == "retained" or task.status.endswith((".retained", ".skipped")):
        return RETAINED
    if task.undo == "failed" or task.status.endswith("failed"):
        return FAILED
    if task.status.endswith("success") and task.status != "produce.success":
        return SUCCESS
    if task.status in ("canceled", "unknown"):
        return CANCELED
    return WAITING if task.status in ("stone-missing", "produce.success") or task.stone is None else RUNNING


def picture(xml: str, tasks: Iterable[Task] | None = None, passed: Collection[str] = ()) -> str:
    """The diagram of a model as SVG; with ``tasks``, each node painted by its last one, and ``passed`` as success.

    Raises Malformed for what is no XML.
    """
    if tasks is None:
        return draw_svg(xml.encode())
    paints = dict.fromkeys(passed, SUCCESS)
    notes: dict[str, str] = {}
    counts: dict[str, int] = {}
    for task in tasks:
        counts[task.element_id] = counts.get(task.element_id, 0) + 1
        paints[task.element_id] = paint_of(task)
        if task.end_time is None and 0 < task.progress < 100:
            notes[task.element_id] = f"{task.progress} %"
    notes |= {element: f"×{count}" for element, count in counts.items() if count > 1}
    return draw_svg(xml.encode(), paints=paints, notes=notes, legend=LEGEND)
