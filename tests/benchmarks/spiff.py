"""SpiffWorkflow as it comes: in memory, and saved as JSON to SQLite after each service task."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer import DEFAULT_CONFIG
from SpiffWorkflow.util.task import TaskState


class _Environment(TaskDataEnvironment):  # type: ignore[misc]  # it has no types
    """Answers every service task with nothing."""

    def call_service(self, *_: Any, **__: Any) -> str:
        return json.dumps(None)


class Spiff:
    """One model, parsed once; each run is a workflow of its own."""

    def __init__(self, model: bytes, key: str, folder: Path | None = None) -> None:
        """Without a ``folder`` nothing is saved."""
        for name in ("spiff", "spiff.workflow", "spiff.task"):
            logging.getLogger(name).setLevel(logging.ERROR)
        parser = SpiffBpmnParser()
        parser.add_bpmn_xml(etree.fromstring(model))
        self.spec, self.subspecs = parser.get_spec(key), parser.get_subprocess_specs(key)
        self.scripts = PythonScriptEngine(environment=_Environment())
        self.run: Callable[[], None] = self._run_in_memory
        if folder is not None:
            self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(DEFAULT_CONFIG))
            self.connection = sqlite3.connect(folder / f"spiff-{key}.db", isolation_level=None)
            self.connection.execute("PRAGMA journal_mode = wal")
            self.connection.execute("PRAGMA synchronous = full")
            self.connection.execute("CREATE TABLE IF NOT EXISTS workflow (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")
            self.run = self._run_saved

    def _workflow(self) -> BpmnWorkflow:
        return BpmnWorkflow(self.spec, self.subspecs, script_engine=self.scripts)

    def _run_in_memory(self) -> None:
        workflow = self._workflow()
        workflow.do_engine_steps()
        _check(workflow)

    def _run_saved(self) -> None:
        workflow = self._workflow()
        number = self.connection.execute(
            "INSERT INTO workflow (state) VALUES (?)", (self.serializer.serialize_json(workflow),)
        ).lastrowid
        while (task := workflow.get_next_task(state=TaskState.READY)) is not None:
            task.run()
            if task.task_spec.__class__.__name__ == "ServiceTask":
                self._save(workflow, number)
        self._save(workflow, number)
        _check(workflow)

    def _save(self, workflow: BpmnWorkflow, number: int | None) -> None:
        state = self.serializer.serialize_json(workflow)
        self.connection.execute("UPDATE workflow SET state = ? WHERE id = ?", (state, number))


def _check(workflow: BpmnWorkflow) -> None:
    if not workflow.is_completed():
        raise RuntimeError("SpiffWorkflow did not complete the process.")
