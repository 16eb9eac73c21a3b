"""The Flask application, and the blueprint by which another application takes the process calls in."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, abort, request

from ..engine import Engine
from .access.gate import Admit, Gate, answers_everybody
from .access.rule import Access
from .camunda import create_camunda
from .console import create_console
from .docs import create_docs
from .http import (
    batch,
    callback,
    caller,
    decision,
    draft,
    health,
    key,
    message,
    model,
    process,
    quota,
    resource,
    statistics,
    stone,
    task,
    webhook,
)
from .http.session import create_sign_in
from .http.static_files import lead_to
from .settings import Settings
from .stone_modules import stones_named
from .wire.answer import json_response
from .wire.openapi import describe
from .wire.operation import Endpoint, Operation
from .wire.problems import register
from .wire.references import reference_to

OURS = (Gate, Endpoint)


class Application(Flask):
    """Flask's, which takes for what they are those functions that it would look at in each request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func if isinstance(getattr(func, "__self__", func), OURS) else super().ensure_sync(func)


PARTS = {
    "process": process.OPERATIONS,
    "message": message.OPERATIONS,
    "batch": batch.OPERATIONS,
    "task": task.OPERATIONS,
    "callback": callback.OPERATIONS,
    "model": model.OPERATIONS,
    "draft": draft.OPERATIONS,
    "decision": decision.OPERATIONS,
    "statistics": statistics.OPERATIONS,
    "stone": stone.OPERATIONS,
    "key": key.OPERATIONS,
    "quota": quota.OPERATIONS,
    "resource": resource.OPERATIONS,
    "webhook": webhook.OPERATIONS,
    "client": caller.OPERATIONS,
    "health": health.OPERATIONS,
}
DESCRIPTION = "/openapi.json"


def create_app(
    engine: Engine | None = None,
    config: Mapping[str, Any] | None = None,
    *,
    access: Admit | None = None,
    console: bool = True,
    camunda: bool = True,
) -> Flask:
    """A WSGI application that serves one engine, with pages for people unless ``console`` is switched off.

    With ``camunda`` it answers workers, modelers and callers of Camunda under ``/engine-rest`` and ``/v2`` too.

    These are the console at ``/console`` and the calls, to read about and to try, at ``/docs``.

    Without ``engine``, one on threads is made from ``config`` or the environment: ``RIVERSTONE_DB`` (a database
    URL) and ``RIVERSTONE_STONES`` (names of modules, comma-separated). It is ``app.extensions["riverstone"]``, and is
    closed when the process ends unless it was closed before. The other settings are read from the same
    places (see README). Without ``access``, the rule of :class:`~.access.rule.Access` holds. Raises
    Invalid for a module that cannot be imported and for wrong settings.
    """
    app = Application(__name__, static_folder=None)
    app.config.from_mapping(config)
    # A path parameter may hold encoded slashes: answer 404 rather than redirecting to another path.
    app.url_map.merge_slashes = False
    settings = Settings.read(config={name: app.config[name] for name in app.config if name.startswith("RIVERSTONE_")})
    if engine is None:
        engine = Engine(
            settings.db or "sqlite:///riverstone.db",
            stones=stones_named(settings.stones),
            dispatcher="threads",
            limits=settings.limits,
            encryption_keys=settings.encryption_keys,
            secrets=settings.secrets,
            public_url=settings.public_url,
            webhooks=settings.webhooks,
            quotas=settings.quotas,
            process_quotas=settings.process_quotas,
        )
        # Whoever runs the application ends the process and closes nothing; what its stones do then is not lost.
        atexit.register(_close, weakref.ref(engine))
    app.extensions["riverstone"] = engine
    admit = access or Access(engine, settings.introspection, settings.oidc, settings.public_url)
    app.before_request(_refuse_slashes)
    Gate(admit).guard(app)
    app.register_blueprint(_calls(engine, "riverstone"))
    if camunda:
        app.register_blueprint(create_camunda(engine))
    app.register_blueprint(create_sign_in(admit if isinstance(admit, Access) else None))
    if console:
        app.register_blueprint(create_console())
        app.add_url_rule("/", view_func=_enter)
        app.register_blueprint(create_docs())
    register(app)
    return app


def _refuse_slashes() -> None:
    """What begins with two slashes is another path, to those before this server too; werkzeug would take it for one."""
    if request.environ["PATH_INFO"].startswith("//"):
        abort(404)


@answers_everybody
def _enter() -> Response:
    """Whoever comes to the address alone is led to the console, also where a server before this one mounts it."""
    return lead_to("console/", 302)


def _close(engine: weakref.ref[Engine]) -> None:
    found = engine()
    if found is not None:
        found.close()


def create_blueprint(
    engine: Engine, *, name: str = "riverstone", access: Admit | None = None, camunda: bool = False
) -> Blueprint:
    """The process, task and model calls for another application; its error pages outside these paths stay its own.

    With ``camunda`` there are those of Camunda's clients too.

    Without ``access`` the server's own rule holds: keys of the engine's store, and only this machine itself while there
    is none. An application that takes over gives a function that is called in each request with the scope that it
    needs (``read``, ``run`` or ``deploy``) and returns a :class:`~.access.clients.Client`, or aborts.
    """
    whole = _calls(engine, name)
    if camunda:
        whole.register_blueprint(create_camunda(engine))
    Gate(access or Access(engine)).guard(whole)
    return whole


def _calls(engine: Engine, name: str) -> Blueprint:
    """The same without its gate."""
    whole = Blueprint(name, __name__)
    for part, operations in PARTS.items():
        blueprint = Blueprint(part, __name__)
        for each in operations:
            blueprint.add_url_rule(
                each.rule, endpoint=each.name, view_func=Endpoint(each, engine), methods=[each.method.upper()]
            )
        whole.register_blueprint(blueprint)
    register(whole)

    every: list[Operation] = [each for operations in PARTS.values() for each in operations]
    described = lru_cache(maxsize=4)(lambda server: describe(every, server=server))

    def openapi() -> Response:
        return json_response(described(reference_to(request.script_root + request.path.removesuffix(DESCRIPTION))))

    whole.add_url_rule(DESCRIPTION, view_func=openapi)
    return whole
