"""Two hundred random processes, each torn from its engine after every step, go the way of those left alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from riverstone.engine.ledger import window

from ..features.elements import Stage, end, model
from ..features.test_elements_restarts import NAMES, Block, Drawing, blocks, told


@seed(5)
@settings(max_examples=200, derandomize=False, database=None, phases=(Phase.generate,))
@given(blocks, st.integers(0, 2))
def test_two_hundred_pairs_with_and_without_restarts_end_alike(block: Block, n: int) -> None:
    whole, torn = pair(block, n)
    assert torn == whole


@seed(6)
@settings(max_examples=60, derandomize=False, database=None, phases=(Phase.generate,))
@given(blocks, st.integers(0, 2))
def test_sixty_pairs_end_alike_where_a_ledger_is_folded_with_every_task(block: Block, n: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "LEAST", 1)
        whole, torn = pair(block, n)
    assert torn == whole


def pair(block: Block, n: int) -> list[object]:
    """What came of one process that is left alone, and of one that is torn from its engine after every step."""
    drawing = Drawing()
    drawing.put('<startEvent id="s"/>')
    drawing.flows.append(f"{block(drawing, 's')} -> e")
    drawing.put(end("e"))
    source = model(drawing.whole(), *drawing.flows, before=NAMES)
    with tempfile.TemporaryDirectory() as folder:
        found: list[object] = []
        for stage in (Stage(), Stage(Path(folder))):
            try:
                found.append(told(stage, source, n))
            finally:
                stage.close()
    return found
