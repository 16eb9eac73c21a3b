"""The stones of the benchmarks: they do nothing, so that only the engine is measured."""

from __future__ import annotations

from riverstone.engine import Stone, TaskInfo


class Nothing(Stone):
    """Does nothing."""

    code = "nothing"

    def start(self, task: TaskInfo) -> None:
        """There is nothing to do."""


class Count(Stone):
    """Puts out how often it has been called in its process."""

    code = "count"
    outputs = {"count": "how often"}

    def start(self, task: TaskInfo) -> None:
        Count.called += 1
        task.add_output("count", Count.called)

    called = 0


class Patience(Stone):
    """Looks once a minute and is never content."""

    code = "patience"
    monitor_interval = 60.0

    def monitor(self, task: TaskInfo) -> bool:
        return False


class Thing(Nothing):
    """Makes nothing, which can be taken back in each way."""

    code = "thing"

    def rollback(self, task: TaskInfo) -> None:
        """There is nothing to do."""

    def cancel(self, task: TaskInfo) -> None:
        """There is nothing to do."""

    def delete(self, task: TaskInfo) -> None:
        """There is nothing to do."""


class Broken(Nothing):
    """Fails."""

    code = "broken"

    def start(self, task: TaskInfo) -> None:
        raise ValueError("it is broken")


stones = [Nothing, Count, Patience, Thing, Broken]
