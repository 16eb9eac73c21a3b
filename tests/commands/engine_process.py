"""An engine in a process of its own that runs a command: ``python -m tests.commands.engine_process URL FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from riverstone.engine import Engine, Stone, TaskInfo

from ..features.sketch import line, service
from ..leases import hasten

MODEL = line("p", service("work", "work"))
SCRIPT = """
trap 'echo stopped >> "$FOLDER/ends"; exit 3' TERM
echo $$ >> "$FOLDER/begins"
echo working
while [ -d "$FOLDER" ] && [ ! -e "$FOLDER/go" ]; do sleep 0.02; done
echo ended >> "$FOLDER/ends"
"""


def stones(folder: Path, **attributes: object) -> list[type[Stone]]:
    """One whose command waits for a file, and one that may run twice."""

    class Work(Stone):
        code = "work"
        rerunnable = False

        def start(self, task: TaskInfo) -> dict[str, str]:
            script = ["sh", "-c", SCRIPT]
            told = task.run(script, environment={"FOLDER": str(folder)}, grace=1.0, rerunnable=self.rerunnable)
            return {"said": told.output}

        def rollback(self, task: TaskInfo) -> None:
            task.run(["sh", "-c", 'echo undone >> "$FOLDER/ends"'], environment={"FOLDER": str(folder)})

        cancel = delete = rollback

    return [type("Work", (Work,), {"grace": 5.0, **attributes})]


if __name__ == "__main__":
    hasten()
    engine = Engine(sys.argv[1], stones=stones(Path(sys.argv[2])), dispatcher="threads")
    engine.deploy(MODEL)
    print(engine.start(key="p", name="work", variables={}).process_instance_id, flush=True)
    # For as long as its test is there: nobody else would end it where that was killed.
    sys.stdin.read()
