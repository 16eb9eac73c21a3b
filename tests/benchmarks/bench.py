"""What every benchmark has: a folder for its stores, how thorough to be, and an engine whose stones do nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from riverstone.engine import Engine, Limits

from .stones import stones

LIMITS = Limits(model_nodes=6_000)


@dataclass(frozen=True)
class Bench:
    """``quick`` proves that everything runs; its figures say little."""

    folder: Path
    quick: bool = False
    large: bool = False
    """Whether stores of a million processes are made too, for which there has to be room (2 GB)."""

    def size(self, full: int, quick: int) -> int:
        """How many of something, by how thorough this run is."""
        return quick if self.quick else full

    @property
    def many(self) -> int:
        """How many processes a large store has, beside which one of 10,000 is looked at."""
        return self.size(1_000_000 if self.large else 100_000, 1_000)

    @property
    def rounds(self) -> int:
        """How often each work is measured; the median counts."""
        return self.size(7, 1)

    def engine(
        self, name: str = "engine", dispatcher: Literal["inline", "threads"] = "inline", *, passive: bool = False
    ) -> Engine:
        """An engine on a store of its own in the folder, or in memory if ``name`` is ``:memory:``."""
        path = name if name == ":memory:" else self.folder / f"{name}.db"
        return Engine(f"sqlite:///{path}", stones=stones, dispatcher=dispatcher, limits=LIMITS, passive=passive)


@dataclass(frozen=True)
class Runs:
    """Processes of one inline engine, which have ended when they have been started."""

    engine: Engine
    started: list[str] = field(default_factory=list)

    def of(self, model: bytes, count: int) -> tuple[Callable[[], None], int]:
        """Work that starts ``count`` processes of a model, deployed now, and that number."""
        deployment_id = self.engine.deploy(model).deployment_id

        def start() -> None:
            for _ in range(count):
                instance = self.engine.start(deployment_id=deployment_id, name="bench")
                self.started.append(instance.process_instance_id)

        return start, count

    def waited_for(self, model: bytes, count: int) -> tuple[Callable[[], None], int]:
        """The same, each asked for its end too."""
        deployment_id = self.engine.deploy(model).deployment_id

        def start() -> None:
            for _ in range(count):
                instance = self.engine.start(deployment_id=deployment_id, name="bench")
                self.engine.wait(instance.process_instance_id)

        return start, count

    def check(self) -> None:
        """Raise RuntimeError unless the store shows success for all that was started."""
        for process_instance_id in self.started:
            status = self.engine.get(process_instance_id).status
            if status != "success":
                raise RuntimeError(f"Process {process_instance_id} is {status}, not success: see its reason.")
