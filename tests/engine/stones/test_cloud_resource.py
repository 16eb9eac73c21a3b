"""What a cloud's resource says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine import CloudResource, Invalid


@pytest.mark.parametrize("name", ["_found", "_look", "_the_one"])
def test_a_helper_under_a_name_of_its_base_is_refused_since_the_hooks_would_call_it(name: str) -> None:
    def helper(self: CloudResource, task: Any, **more: Any) -> list[Any]:
        return []

    with pytest.raises(Invalid, match=f"has a member '{name}'") as refused:
        type("Server", (CloudResource,), {"code": "server", name: helper, "__doc__": "A server."})
    assert refused.value.code == "stone-invalid"


def test_helpers_of_its_own_have_any_other_name() -> None:
    found = type("Server", (CloudResource,), {"code": "server", "_servers": lambda *_: [], "__doc__": "A server."})
    large: Any = type("Large", (found,), {"_servers": lambda *_: [], "__doc__": "A large one."})
    assert large.code == "server"
