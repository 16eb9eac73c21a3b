"""The routes of both interfaces, their errors, and what stands before and behind them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from ...engine import Conflict, Engine, EngineClosed, RiverstoneError, StoreUnavailable, TooLarge, Unknown
from ...engine.calls.tasks.external_tasks import TopicRefused
from ...engine.errors import LimitExceeded
from ...engine.outgoing.statuses import phrase
from ..access.clients import KNOWN, OPEN
from ..access.loopback import MODELER, is_modeler
from ..errors import Refused
from ..wire import problems
from ..wire.references import reference_to
from . import description, jobs, modeling, orchestration, workers
from .view import Function, View, json_answer

SEVEN = "/engine-rest"
EIGHT = "/v2"
DESCRIPTION = "/openapi.json"
ONE = "/external-task/<task_id>"
WORKERS: tuple[tuple[str, str, Function, bool], ...] = (
    ("POST", "/external-task/fetchAndLock", workers.fetch_and_lock, False),
    ("POST", f"{ONE}/complete", workers.complete, True),
    ("POST", f"{ONE}/failure", workers.failure, True),
    ("POST", f"{ONE}/bpmnError", workers.bpmn_error, True),
    ("POST", f"{ONE}/extendLock", workers.extend_lock, False),
    ("POST", f"{ONE}/progress", workers.progress, False),
    ("POST", f"{ONE}/lock", workers.lock, False),
    ("POST", f"{ONE}/unlock", workers.unlock, True),
    ("PUT", f"{ONE}/retries", workers.put_retries, True),
    ("PUT", f"{ONE}/priority", workers.put_priority, True),
    ("GET", ONE, workers.get_task, False),
    ("GET", "/external-task", workers.get_tasks, False),
    ("POST", "/external-task", workers.post_tasks, False),
    ("GET", "/external-task/count", workers.get_count, False),
    ("POST", "/external-task/count", workers.post_count, False),
    ("GET", "/execution/<process_instance_id>/localVariables/<name>/data", workers.file_of, False),
    ("GET", "/process-instance/<process_instance_id>/variables/<name>/data", workers.file_of, False),
    ("POST", "/process-instance/<process_instance_id>/variables", workers.set_variables, True),
)
"""Method, path, function, and whether the audit tells of it."""
OTHERS: tuple[tuple[str, str, Function, str], ...] = (
    ("GET", "/version", modeling.version, KNOWN),
    ("GET", "/deployment", modeling.get_deployments, "deploy"),
    ("POST", "/deployment/create", modeling.create_deployment, "deploy"),
    ("POST", "/process-definition/<deployment_id>/start", modeling.start_by_id, "run"),
    ("POST", "/process-definition/key/<key>/start", modeling.start_by_key, "run"),
    ("GET", "/process-instance/<process_instance_id>", modeling.get_instance, "read"),
    ("DELETE", "/process-instance/<process_instance_id>", modeling.delete_instance, "run"),
    ("POST", "/message", modeling.message, "run"),
)

JOBS: tuple[tuple[str, str, Function, bool], ...] = (
    ("POST", "/jobs/activation", jobs.activate, False),
    ("POST", "/jobs/<job_key>/completion", jobs.complete, True),
    ("POST", "/jobs/<job_key>/failure", jobs.fail, True),
    ("POST", "/jobs/<job_key>/error", jobs.throw, True),
    ("PATCH", "/jobs/<job_key>", jobs.update, True),
)
ORCHESTRATION: tuple[tuple[str, str, Function, str], ...] = (
    ("GET", "/topology", orchestration.topology, KNOWN),
    ("POST", "/deployments", orchestration.deploy, "deploy"),
    ("POST", "/process-instances", orchestration.start, "run"),
    ("POST", "/process-instances/<process_instance_id>/cancellation", orchestration.cancel, "run"),
    ("POST", "/messages/publication", orchestration.publish, "run"),
    ("POST", "/messages/correlation", orchestration.correlate, "run"),
)
READ_QUERY = frozenset(
    {
        workers.get_tasks,
        workers.post_tasks,
        workers.get_count,
        modeling.get_deployments,
        modeling.delete_instance,
    }
)


def create_camunda(engine: Engine, *, name: str = "camunda") -> Blueprint:
    """What workers, modelers and callers of Camunda ask, answered by this engine."""
    whole = Blueprint(name, __name__)
    seven = Blueprint("engine-rest", __name__, url_prefix=SEVEN)
    eight = Blueprint("v2", __name__, url_prefix=EIGHT)
    for where, asked, others in ((seven, WORKERS, OTHERS), (eight, JOBS, ORCHESTRATION)):
        for method, rule, function, audited in asked:
            reads = function in READ_QUERY
            _add(where, rule, method, View(engine, function, "work", audited=audited, reads_query=reads))
        for method, rule, function, scope in others:
            reads = function in READ_QUERY
            _add(where, rule, method, View(engine, function, scope, audited=method != "GET", reads_query=reads))
        _describe(where, engine, [(*each[:3], "work") for each in asked] + list(others))
        if where is seven:
            for method in ("GET", "POST", "PUT", "DELETE"):
                _add(
                    where,
                    "/<path:rest>",
                    method,
                    View(engine, modeling.elsewhere, KNOWN, audited=False, reads_query=True),
                )
        where.after_request(_let_modeler_read)
        whole.register_blueprint(where)
    eight.register_error_handler(RiverstoneError, _refused_job)
    eight.register_error_handler(HTTPException, _http_problem)
    eight.register_error_handler(Exception, _unexpected_problem)
    seven.register_error_handler(RiverstoneError, _refused)
    seven.register_error_handler(modeling.ModelRefused, _model_refused)
    seven.register_error_handler(modeling.NobodyWaits, _nobody_waits)
    seven.register_error_handler(HTTPException, _http)
    seven.register_error_handler(Exception, _unexpected)
    return whole


def _describe(where: Blueprint, engine: Engine, routes: list[tuple[str, str, Function, str]]) -> None:
    prefix = where.url_prefix or ""
    told = description.describe(prefix, routes, description.SEVEN if prefix == SEVEN else description.EIGHT)

    def described(engine: Engine) -> dict[str, Any]:
        """With where the host application has put these routes: by OpenAPI their paths would begin at its root."""
        mounted = request.script_root + request.path.removesuffix(DESCRIPTION)
        return {**told, "servers": [{"url": reference_to(mounted)}]}

    document = View(engine, described, KNOWN, audited=False, reads_query=True)
    where.add_url_rule(DESCRIPTION, endpoint="openapi", view_func=document, methods=["GET"])


def _add(where: Blueprint, rule: str, method: str, view: View) -> None:
    endpoint = f"{method.lower()}{rule.replace(':', '_').replace('/', '_').replace('<', '').replace('>', '')}"
    where.add_url_rule(rule, endpoint=endpoint, view_func=view, methods=[method], provide_automatic_options=False)
    if method != "OPTIONS":
        preflight = View(view.engine, _preflight, OPEN, audited=False, reads_query=True)
        where.add_url_rule(rule, endpoint=f"options_{endpoint}", view_func=preflight, methods=["OPTIONS"])


def _preflight(engine: Engine, **path: str) -> Response:
    """What a modeler's page asks before it shows its credentials; other pages are told nothing."""
    answer = Response(status=204)
    if is_modeler():
        answer.headers["Access-Control-Allow-Methods"] = "GET, POST"
        answer.headers["Access-Control-Allow-Headers"] = "authorization, content-type, accept"
    return answer


def _let_modeler_read(answer: Response) -> Response:
    if is_modeler():
        answer.headers["Access-Control-Allow-Origin"] = MODELER
    return answer


def error_answer(status: int, kind: str, message: str) -> Response:
    """An error as clients of Camunda 7 read it: ``code`` is a number."""
    return json_answer({"type": kind, "message": message, "code": 0}, status)


def status_of(error: RiverstoneError) -> HTTPStatus:
    """Clients of Camunda know these alone."""
    if isinstance(error, Refused):
        return HTTPStatus(error.status)
    if isinstance(error, TopicRefused):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, Unknown):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, StoreUnavailable | EngineClosed):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, TooLarge):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if isinstance(error, LimitExceeded) and error.limit == "instances_per_key":
        return HTTPStatus.TOO_MANY_REQUESTS
    return HTTPStatus.BAD_REQUEST


KINDS = {400: "InvalidRequestException", 401: "AuthenticationException", 403: "AuthorizationException"}


def _refused(error: RiverstoneError) -> Response:
    status = status_of(error)
    answer = error_answer(status, KINDS.get(status, "RestException"), error.message)
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        answer.headers["Retry-After"] = problems.RETRY_AFTER
    return answer


TITLES = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 409: "INVALID_STATE", 503: "RESOURCE_EXHAUSTED"}


def _refused_job(error: RiverstoneError) -> Response:
    status: int = status_of(error)
    if isinstance(error, Conflict) or error.code in ("external-task-locked", "external-task-expired", "quota-full"):
        status = HTTPStatus.CONFLICT
    return orchestration.problem(int(status), TITLES.get(status, phrase(status)), error.message)


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    return orchestration.problem(status, TITLES.get(status, phrase(status)), error.description or "")


def _unexpected_problem(error: Exception) -> Response:
    told: dict[str, Any] = problems.of_unexpected(error).get_json()
    return orchestration.problem(500, "INTERNAL", told["detail"])


def _model_refused(error: modeling.ModelRefused) -> Response:
    told = {"type": "ParseException", "message": str(error), "code": 0, "details": error.details}
    return json_answer(told, HTTPStatus.BAD_REQUEST)


def _nobody_waits(error: Exception) -> Response:
    return error_answer(HTTPStatus.BAD_REQUEST, "MismatchingMessageCorrelationException", str(error))


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    return error_answer(status, KINDS.get(status, "RestException"), error.description or f"{status}")


def _unexpected(error: Exception) -> Response:
    told: dict[str, Any] = problems.of_unexpected(error).get_json()
    return error_answer(500, "RestException", told["detail"])
