"""Random processes whose failures pause, repaired at random: what is done in the end is what the model says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ...soak.repair_case import RepairCase

# Those of single faults that random repairs have found: a loop around the target follows its own last turn; a token
# that a join had merged and an earlier rewind took back stays away.
FOUND = (1016, 1023, 1048, 1377, 3176, 3373)


@pytest.mark.parametrize("seed", [*FOUND, *range(8)])
def test_a_random_process_is_repaired_at_random(seed: int, tmp_path: Path) -> None:
    RepairCase(seed, tmp_path).play()
