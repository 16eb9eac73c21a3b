"""Processes as a whole: whether there is anything to run, and how much (BPMN 2.0, 10.1)."""

from __future__ import annotations

from lxml import etree

from ...findings import Report
from ...limits import Limits
from ..reading.words import is_true, label, local_name, qualified
from .outline import Outline

# A node comes with about two flows, a shape and some edges. Beyond that libxml2 gets slow: it counts the siblings
# before each element that breaks the schema.
_CHILDREN_PER_NODE = 5
LONGEST_ID = 200
LONGEST_NAME = 255


def check_size(outline: Outline, report: Report, limits: Limits) -> bool:
    """Whether the file is BPMN and within ``limits.model_nodes``, so that the other checks may look at it."""
    root = outline.root
    if "/spec/DMN/" in str(root.tag):
        text = "The file holds decisions and no process: deploy it together with the file whose tasks make them."
        report.error("no-definitions", root, text)
        return False
    if root.tag != qualified("definitions"):
        report.error(
            "no-definitions",
            root,
            f"The file starts with <{local_name(root)}>, not with the definitions of BPMN 2.0: deploy a BPMN 2.0 file.",
        )
        return False
    if len(outline.nodes) > limits.model_nodes:
        report.error(
            "too-many-nodes",
            outline.by_tag["process"][0],
            f"The file has {len(outline.nodes)} nodes, and model_nodes allows {limits.model_nodes}: split the model"
            " into processes that call each other.",
        )
        return False
    widest, width, most = outline.widest, outline.width, _CHILDREN_PER_NODE * limits.model_nodes
    if width > most:
        report.error(
            "too-many-elements",
            widest,
            f"The {label(widest)} holds {width} elements, and {most} fit in a model of"
            f" {limits.model_nodes} nodes (model_nodes): split the model.",
        )
        return False
    return True


def check_names(outline: Outline, report: Report) -> None:
    """Report ids and names that are too long for what they name to be found by them."""
    for element_id, element in outline.by_id.items():
        if len(element_id) > LONGEST_ID:
            text = (
                f"The id {element_id[:40] + '…'!r} has {len(element_id)} characters, and {LONGEST_ID} fit: shorten it."
            )
            report.error("id-too-long", element, text)
    for tag in ("message", "signal"):
        for element in outline.by_tag[tag]:
            if len(element.get("name", "")) > LONGEST_NAME:
                text = f"The name of the {tag} has more than {LONGEST_NAME} characters: shorten it."
                report.error("name-too-long", element, text)


def check_processes(outline: Outline, report: Report) -> None:
    """Report files without a process to run."""
    processes = outline.by_tag["process"]
    if not processes:
        report.error("no-process", outline.root, "The file holds no process: add one.")
    elif not any(is_true(process, "isExecutable", default=True) for process in processes):
        report.error(
            "no-executable-process",
            processes[0],
            f'No process of the file can be run: set isExecutable="true" on {label(processes[0])}.',
        )
    for process in processes:
        _check_process(outline, report, process)


def _check_process(outline: Outline, report: Report, process: etree._Element) -> None:
    if process.get("id") is None:
        report.error("missing-id", process, "A process has no id, so nobody can start it: give it one.")
    if process.get("isExecutable") is None:
        report.warning(
            "executable-not-said",
            process,
            f"The {label(process)} does not say whether it can be run, and is taken as if it can: set"
            ' isExecutable="true".',
        )
    if process.get("processType") == "Public" and process.get("isExecutable", "").strip() in ("true", "1"):
        report.formal(
            "public-process",
            process,
            f"The {label(process)} is Public, and such a process cannot be executable: make it Private or None.",
        )
    if not outline.nodes_by_scope.get(process) and is_true(process, "isExecutable", default=True):
        report.warning("empty-process", process, f"The {label(process)} holds nothing to run: add nodes.")
