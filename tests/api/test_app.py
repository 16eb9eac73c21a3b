"""Making the application: with an engine, or from names alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import riverstone.api
from riverstone.api import create_app
from riverstone.engine import Engine
from riverstone.engine.errors import Invalid

from .asking import Client

STONES = """
from riverstone.engine import Stone

class Paint(Stone):
    code = "paint"

class Base(Stone):
    pass
"""


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with one stone, in the working directory."""
    (tmp_path / "studio.py").write_text(STONES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setitem(sys.modules, "studio", sys)
    monkeypatch.delitem(sys.modules, "studio")
    return "studio"


def test_an_application_is_made_from_names_alone(studio: str, tmp_path: Path) -> None:
    app = create_app(config={"RIVERSTONE_DB": f"sqlite:///{tmp_path / 'app.db'}", "RIVERSTONE_STONES": studio})
    engine = app.extensions["riverstone"]
    try:
        assert isinstance(engine, Engine)
        assert list(engine.stones) == ["paint"]
        assert Client(app).get("/process").json == {"items": [], "cursor": None}
    finally:
        engine.close()


def test_the_environment_serves_where_the_configuration_is_silent(
    studio: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIVERSTONE_DB", f"sqlite:///{tmp_path / 'environment.db'}")
    monkeypatch.setenv("RIVERSTONE_STONES", f" {studio} ,")

    with create_app().extensions["riverstone"] as engine:
        assert list(engine.stones) == ["paint"]
    assert (tmp_path / "environment.db").exists()


@pytest.mark.parametrize("module", ["no.such.module", "json", "broken"])
def test_a_module_without_stones_is_refused_by_name(studio: str, tmp_path: Path, module: str) -> None:
    (tmp_path / "broken.py").write_text("this is not Python")

    with pytest.raises(Invalid, match=module):
        create_app(config={"RIVERSTONE_STONES": module, "RIVERSTONE_DB": "sqlite:///:memory:"})


def test_the_package_offers_these_names_and_no_more() -> None:
    assert riverstone.api.__all__ == ["Client", "create_app", "create_blueprint", "create_console", "create_docs"]
    with pytest.raises(AttributeError, match="create_engine"):
        riverstone.api.__getattr__("create_engine")
