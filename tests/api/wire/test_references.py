"""Addresses in answers are right wherever a proxy has put the server."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import pytest
from flask import Flask

from riverstone.api import create_app, create_blueprint
from riverstone.api.wire.references import reference_to
from riverstone.engine import Engine

from ..asking import Client

OUTSIDE = "https://bpm.example.com"


@pytest.fixture(params=["server", "blueprint"])
def served(request: pytest.FixtureRequest, engine: Engine) -> tuple[Client, str]:
    if request.param == "server":
        return Client(create_app(engine)), ""
    host = Flask("host")
    host.register_blueprint(create_blueprint(engine, camunda=True), url_prefix="/river")
    return Client(host), "/river"


@pytest.mark.parametrize("taken_off", ["", "/engine", "/a/b"])
def test_what_a_proxy_takes_off_is_in_no_address_that_the_server_gives(
    served: tuple[Client, str], taken_off: str
) -> None:
    """RFC 8288, 3 and OpenAPI 3.1, Server Object: both are resolved from the address that was asked."""
    client, mounted = served
    for asked in ("/process/1", "/process/1/task", "/process", "/code/a%3Ab"):
        refused = client.get(f"{mounted}{asked}?limit=0")
        assert refused.status_code >= 400
        (target,) = re.findall(r'<([^>]+)>; rel="help"', refused.headers["Link"])
        code = refused.json["code"]
        assert urljoin(f"{OUTSIDE}{taken_off}{mounted}{asked}", target) == f"{OUTSIDE}{taken_off}{mounted}/code/{code}"
    for part in ("", "/engine-rest", "/v2"):
        asked = f"{mounted}{part}/openapi.json"
        (server,) = client.get(asked).json["servers"]
        found = urljoin(f"{OUTSIDE}{taken_off}{asked}", server["url"])
        assert found.removesuffix("/") == f"{OUTSIDE}{taken_off}{mounted}{part}"


@pytest.mark.parametrize("asked", ["/", "/a", "/a/", "/a/b", "/a%2Fb/c", "/a/b/c/d", "/c:d", "/a/c:d/e"])
@pytest.mark.parametrize("wanted", ["/", "/a", "/a/b", "/a/b/c", "/b", "/c:d/e", "/a/c:d"])
def test_any_path_is_found_from_any_other(asked: str, wanted: str) -> None:
    app: Any = Flask("any")
    with app.test_request_context(asked):
        found = urljoin(f"{OUTSIDE}/engine{asked}", reference_to(wanted))
    assert found.removesuffix("/") == f"{OUTSIDE}/engine{wanted}".removesuffix("/")
