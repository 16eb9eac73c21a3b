"""The server as ``riverstone serve`` makes it, or with ``--empty`` the same waitress before one empty Flask route."""

from __future__ import annotations

import logging
import sys

from flask import Flask

from riverstone.api import create_app
from riverstone.api.server import Server, asked_to_stop, spare_what_lasts
from riverstone.engine import Engine

from .stones import stones


def main(url: str) -> None:
    """Serve on a free port of the loopback, print where, and stop on SIGTERM."""
    if url == "--empty":
        app = Flask("empty")
        app.add_url_rule("/process", view_func=lambda: "", methods=["GET", "POST"])
        _serve(app)
        return
    with Engine(url, stones=stones, dispatcher="threads") as engine:
        _serve(create_app(engine))


def _serve(app: Flask) -> None:
    # It would print a line for each request that has to wait a moment, and 32 clients are more than its threads.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = Server(app, "127.0.0.1", 0, asked_to_stop())
    spare_what_lasts()
    print(server.url, flush=True)
    server.run()


if __name__ == "__main__":
    main(sys.argv[1])
