"""A thing behind an HTTP interface: made by one request of the operator's, looked at and removed by others."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from marshmallow import fields, validate

from .. import (
    AllowedOrigins,
    BpmnError,
    CallbackSignature,
    Deferral,
    Fatal,
    Invalid,
    Later,
    NotConnected,
    NotFound,
    Stone,
    TaskInfo,
)
from .client_credentials import ClientCredentials
from .http_calls import HttpCalls
from .http_request import HttpRequest, holds

SAFE_TO_REPEAT = ("GET", "HEAD", "PUT", "DELETE")
CALLBACK = ("callback_url", "callback_token")


class HttpStone(Stone):
    """Subclass it with a ``code``, ``parameters``, the ``origins`` and the ``request``.

    Connections go to the origins alone, and to addresses that are not public only where ``networks`` lists them. No
    redirect is followed. A parameter is a part of a path, a query, a header or the body, and never more.
    """

    origins: ClassVar[Mapping[str, str]] = {}
    """``https://HOST[:PORT]`` by the names that models use. Where there are several, the parameter ``origin`` chooses
    by name among them."""
    networks: ClassVar[Sequence[str]] = ()
    """Networks such as ``10.0.0.0/8`` that are not public and may be reached."""
    request: ClassVar[HttpRequest | None] = None
    """What makes the thing."""
    lookup_request: ClassVar[HttpRequest | None] = None
    """What finds it by ``{key}``, with the outputs of the first: asked before anything is sent a second time, and for
    an undo that needs outputs of which nobody has heard."""
    ready_request: ClassVar[HttpRequest | None] = None
    """What is asked, again and again, until its ``done_when`` holds."""
    undo_request: ClassVar[HttpRequest | None] = None
    """What removes it. Without it the task is listed as retained."""
    gone_request: ClassVar[HttpRequest | None] = None
    """What is asked after that until it is ``absent``, or its ``done_when`` holds."""
    check_request: ClassVar[HttpRequest | None] = None
    """What looks whether it is still there; it is different where ``done_when`` does not hold."""
    credentials: ClassVar[ClientCredentials | None] = None
    """Where its tokens come from, if it needs any."""
    callback_within: ClassVar[float | None] = None
    """Seconds in which somebody outside completes the task, told by ``{callback_url}`` or ``{callback_token}``."""
    callback_signature: ClassVar[CallbackSignature | None] = None
    """How the sender of that proves who it is."""
    key_header: ClassVar[str] = "Idempotency-Key"
    """The header with the key that every delivery of one attempt has; empty sends none."""
    rerunnable: ClassVar[bool] = False
    """Whether a POST or PATCH may be sent again where nobody can tell what came of it, since the other side knows the
    key. With a ``lookup_request`` it always may."""
    throttled: ClassVar[Collection[int]] = (429, 503)
    """Statuses that ask for patience: it is asked again after Retry-After, and no attempt is used up."""
    absent: ClassVar[Collection[int]] = (404, 410)
    """Statuses that say that the thing is not there."""
    bpmn_errors: ClassVar[Mapping[int, str]] = {}
    """BPMN errors by the statuses of which a model is to hear."""
    pause: ClassVar[float] = 5.0
    """Seconds until what was throttled is tried again, where no Retry-After says more."""
    limit: ClassVar[float] = 30.0
    """Seconds for one request."""
    largest_answer: ClassVar[int] = 1_000_000
    """Bytes of an answer."""

    allowed: ClassVar[AllowedOrigins]
    token_allowed: ClassVar[AllowedOrigins]

    retries = 5
    retry_for = 900.0
    monitor_retries = 10

    def __init_subclass__(cls) -> None:
        if len(cls.origins) > 1 and isinstance(cls.parameters, Mapping):
            field = fields.String(
                required=True, validate=validate.OneOf(sorted(cls.origins)), metadata={"display_name": "Origin"}
            )
            cls.parameters = {**cls.parameters, "origin": field}
        requests = (cls.request, cls.lookup_request, cls.ready_request)
        if isinstance(cls.outputs, Mapping):
            told = {name: f"{place} of the answer" for each in requests if each for name, place in each.outputs.items()}
            cls.outputs = {**told, **cls.outputs}
        super().__init_subclass__()
        if cls.parameters_type is not None:
            text = f"{cls.__name__} fills in its requests by the names of its parameters: declare them by fields."
            raise Invalid(text, code="stone-invalid")
        if cls.code:
            _check(cls)
        cls.allowed = AllowedOrigins([*cls.origins.values(), *cls.networks], setting="origins")
        if cls.credentials is not None:
            token_url = urlsplit(cls.credentials.token_url)
            cls.token_allowed = AllowedOrigins([f"{token_url.scheme}://{token_url.netloc}", *cls.networks])
            cls.token_allowed.check(cls.credentials.token_url)
        cls._take_hooks()

    @classmethod
    def _take_hooks(cls) -> None:
        """Have the hooks that have something to ask, where the class has none of its own."""
        undo = dict.fromkeys(("rollback", "cancel", "delete"), cls._undo)
        gone = dict.fromkeys(("rollback_monitor", "cancel_monitor", "delete_monitor"), cls._look_whether_gone)
        hooks: dict[str, Callable[..., Any]] = {
            **(undo if cls.undo_request else {}),
            **(gone if cls.undo_request and cls.gone_request else {}),
            **({"monitor": cls._look} if cls.ready_request else {}),
            **({"check": cls._check} if cls.check_request else {}),
        }
        for hook, asked in hooks.items():
            if not cls.has(hook):
                setattr(cls, hook, asked)

    @classmethod
    def secret_parameters(cls) -> set[str]:
        """The parameters that are hidden wherever they turn up."""
        return {name for name, field in cls.parameters.items() if field.metadata.get("no_echo")}

    def origin_of(self, task: TaskInfo) -> str:
        """The origin that is asked."""
        name = task.parameters["origin"] if len(self.origins) > 1 else next(iter(self.origins))
        return self.origins[name].rstrip("/")

    # -- the hooks

    def start(self, task: TaskInfo) -> Deferral | None:
        """Send the request, unless an earlier one has made the thing."""
        assert self.request is not None
        deferral, given = None, {}
        if self.callback_within is not None:
            deferral = task.defer(timeout=self.callback_within, signature=self.callback_signature)
            given = {"callback_url": deferral.url, "callback_token": deferral.token}
            if deferral.url is None and "callback_url" in self.request.names():
                raise Fatal("The engine has no public_url, so there is no address for a callback.")
        calls = HttpCalls(self, task, given)
        found = self._found(task, calls) if task.is_repeated else None
        if found is None:
            if task.cancel_requested:
                raise InterruptedError("It was asked to stop before it sent anything.")
            calls.prepare(self.request)
            found = self._made(task, calls)
        task.add_outputs(found)
        return deferral

    def mock(self, task: TaskInfo) -> None:
        """Say what would be sent."""
        assert self.request is not None
        task.log(f"would send {self.request.method} {self.request.path}")
        for name in self.outputs:
            task.add_output(name, f"mock-{task.namespace}-{name}")

    def _made(self, task: TaskInfo, calls: HttpCalls) -> dict[str, Any]:
        """What the request has made; raises Fatal where nobody can tell."""
        request = self.request
        assert request is not None
        once = request.method not in SAFE_TO_REPEAT and self.lookup_request is None and not self.rerunnable
        about = f"Nobody can tell what came of {request.method} {request.path}"
        if once and task.saved.get("sent"):
            raise Fatal(f"{about}: it was sent before. Look what it has done, then retry or do it by hand.")
        if once:
            task.save("sent", True)
        try:
            return request.outputs_in(calls.send(request))
        except (NotConnected, Later, Fatal, BpmnError, NotFound):
            if once:
                task.save("sent", False)
            raise
        except Exception as error:
            if once:
                raise Fatal(f"{about}: {error}") from error
            raise

    def _found(self, task: TaskInfo, calls: HttpCalls) -> dict[str, Any] | None:
        """What an earlier request has made, as its outputs; looked for again where it may not show yet."""
        request = self.lookup_request
        if request is None:
            return None
        end = time.monotonic() + self.settle
        while True:
            try:
                answer = calls.send(request)
                if not request.done_when or holds(answer, request.done_when):
                    return request.outputs_in(answer)
            except (NotFound, ValueError):
                pass
            left = end - time.monotonic()
            if left <= 0 or task.wait_for_cancel(min(1.0, left)):
                return None

    def _look(self, task: TaskInfo) -> bool:
        request = self.ready_request
        assert request is not None
        began = task.state.setdefault("since", time.time())
        try:
            answer = HttpCalls(self, task).send(request)
        except NotFound:
            if time.time() - began > self.settle:
                raise
            return False
        if request.failed_when and holds(answer, request.failed_when):
            raise Fatal(f"{request.method} {request.path} says that it never will be ready.")
        if request.done_when and not holds(answer, request.done_when):
            return False
        task.add_outputs(request.outputs_in(answer))
        return True

    def _undo(self, task: TaskInfo) -> None:
        assert self.undo_request is not None
        self._about_it(task, self.undo_request).send(self.undo_request)

    def _look_whether_gone(self, task: TaskInfo) -> bool:
        request = self.gone_request
        assert request is not None
        answer = self._about_it(task, request).send(request)
        return bool(request.done_when) and holds(answer, request.done_when)

    def _check(self, task: TaskInfo) -> str | None:
        request = self.check_request
        assert request is not None
        answer = self._about_it(task, request).send(request)
        if not request.done_when or holds(answer, request.done_when):
            return None
        return f"{request.method} {request.path} no longer says {', '.join(request.done_when)} as it was"

    def _about_it(self, task: TaskInfo, request: HttpRequest) -> HttpCalls:
        """The calls about what was made, which is looked for where nobody has heard of it; raises NotFound."""
        calls = HttpCalls(self, task)
        if self.lookup_request is not None and not _outputs_needed(request) <= calls.outputs.keys():
            found = self._found(task, calls)
            if found is None:
                raise NotFound(f"nothing bears {task.start_key}")
            calls.outputs.update(found)
        return calls


def _outputs_needed(request: HttpRequest) -> set[str]:
    return {name.partition(".")[2] for name in request.names() if name.startswith("outputs.")}


def _check(stone: type[HttpStone]) -> None:
    """Raise Invalid for declarations that could not be carried out, or would tell a secret."""
    name = stone.__name__
    if stone.request is None or not stone.origins:
        raise Invalid(f"{name} needs origins and a request.", code="stone-invalid")
    for origin in stone.origins.values():
        if not re.fullmatch(r"https?://[^/*?#@\s]+/?", origin):
            raise Invalid(f"{name}: {origin!r} is no origin as https://HOST[:PORT].", code="stone-invalid")
    known, secret = {"key", *stone.parameters}, stone.secret_parameters()
    for each in _requests(stone):
        outputs = {f"outputs.{output}" for output in stone.outputs} if each is not stone.request else set()
        here = {*CALLBACK} if each is stone.request and stone.callback_within is not None else set()
        for word in sorted(each.names() - known - outputs - here):
            raise Invalid(f"{name} has nothing for '{{{word}}}' of {each.method} {each.path}.", code="stone-invalid")
        for word in sorted(each.shown_names() & {*secret, *CALLBACK}):
            text = f"The secret {word!r} of {name} would be logged with the address"
            raise Invalid(f"{text}: hand it on by a header or the body.", code="stone-invalid")
    if stone.lookup_request is not None and _outputs_needed(stone.lookup_request):
        raise Invalid(f"{name} looks up by what it has not put out yet: use {{key}}.", code="stone-invalid")
    told = stone.lookup_request.outputs if stone.lookup_request is not None else {}
    for each in filter(None, (stone.undo_request, stone.gone_request)):
        unknown = sorted(_outputs_needed(each) - told.keys())
        if unknown:
            text = f"{name} removes by {unknown[0]!r}, of which nobody may have heard"
            raise Invalid(f"{text}: let lookup_request find it, or remove by {{key}}.", code="stone-invalid")
    credentials = stone.credentials
    if credentials is not None and credentials.parameter is not None and credentials.parameter not in secret:
        raise Invalid(f"{name} has no secret parameter {credentials.parameter!r}.", code="stone-invalid")


def _requests(stone: type[HttpStone]) -> list[HttpRequest]:
    found = (
        stone.request,
        stone.lookup_request,
        stone.ready_request,
        stone.undo_request,
        stone.gone_request,
        stone.check_request,
    )
    return [each for each in found if each is not None]
