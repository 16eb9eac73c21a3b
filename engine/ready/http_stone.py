"""A thing behind an HTTP interface: made by one request of the operator's, looked at and removed by others."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import fields, validate

from .. import AllowedOrigins, BpmnError, CallbackSignature, Deferral, Fatal, Invalid, NotFound, Stone, TaskInfo
from .client_credentials import ClientCredentials
from .http_calls import HttpCalls
from .http_declaration import check_declaration, outputs_needed, outputs_of_start_needed
from .http_request import HttpRequest, holds, is_empty

SAFE_TO_REPEAT = ("GET", "HEAD", "PUT", "DELETE")
UNDO = ("rollback", "cancel", "delete")


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
    """Statuses that ask for patience: it is asked again after Retry-After, and no attempt is used up. One from 500 on
    without a Retry-After may come from a proxy that has handed the request on: after a POST or PATCH that may be sent
    only once, nobody can tell."""
    absent: ClassVar[Collection[int]] = (404, 410)
    """Statuses that say that the thing is not there. To the request that makes it they are refusals."""
    bpmn_errors: ClassVar[Mapping[int, str]] = {}
    """BPMN errors by the statuses of which a model is to hear. For the request that makes the thing they go before
    ``throttled``."""
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

    _told: ClassVar[tuple[Mapping[str, fields.Field[Any]], Mapping[str, str]]] = ({}, {})
    """The parameters and outputs that follow from the requests and origins, and so are made anew for a subclass."""

    def __init_subclass__(cls) -> None:
        cls._tell()
        super().__init_subclass__()
        if cls.parameters_type is not None:
            text = f"{cls.__name__} fills in its requests by the names of its parameters: declare them by fields."
            raise Invalid(text, code="stone-invalid")
        if cls.code:
            check_declaration(cls)
        cls.allowed = AllowedOrigins([*cls.origins.values(), *cls.networks], setting="origins")
        if cls.credentials is not None:
            cls.token_allowed = AllowedOrigins([cls.credentials.origin, *cls.networks], setting="token_url")
            cls.token_allowed.check(cls.credentials.token_url)
        cls._take_hooks()

    @classmethod
    def _tell(cls) -> None:
        """Declare what follows from the requests and origins."""
        parameters, outputs = cls._told
        chosen: dict[str, fields.Field[Any]] = {}
        if len(cls.origins) > 1:
            one = validate.OneOf(sorted(cls.origins))
            chosen["origin"] = fields.String(required=True, validate=one, metadata={"display_name": "Origin"})
        requests = filter(None, (cls.request, cls.lookup_request, cls.ready_request))
        told = {name: f"{place} of the answer" for each in requests for name, place in each.outputs.items()}
        if isinstance(cls.parameters, Mapping) and (chosen or parameters):
            own = {name: each for name, each in cls.parameters.items() if each is not parameters.get(name)}
            if chosen and "origin" in own:
                text = f"{cls.__name__} has several origins, and the parameter 'origin' chooses one of them"
                raise Invalid(f"{text}: give yours another name.", code="stone-invalid")
            cls.parameters = {**own, **chosen}
        if isinstance(cls.outputs, Mapping):
            own_outputs = {name: text for name, text in cls.outputs.items() if text != outputs.get(name)}
            cls.outputs = {**told, **own_outputs}
        cls._told = chosen, told

    @classmethod
    def _take_hooks(cls) -> None:
        """Have the hooks that have something to ask, where the class has none of its own, and no others."""
        undo = cls._undo if cls.undo_request else None
        gone = cls._look_whether_gone if cls.undo_request and cls.gone_request else None
        hooks: dict[str, Callable[..., Any] | None] = {
            **dict.fromkeys(UNDO, undo),
            **dict.fromkeys((f"{each}_monitor" for each in UNDO), gone),
            "monitor": cls._look if cls.ready_request else None,
            "check": cls._check if cls.check_request else None,
        }
        ours = (cls._undo, cls._look_whether_gone, cls._look, cls._check)
        for hook, asked in hooks.items():
            # One of ours may come from a class above, which has a request that this one does without.
            if getattr(cls, hook) in ours or (asked and not cls.has(hook)):
                setattr(cls, hook, asked or getattr(Stone, hook))

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
            return request.outputs_in(calls.send(request, makes=True), outputs_of_start_needed(type(self)))
        except Exception as error:
            if once and calls.may_be_done and not isinstance(error, BpmnError):
                raise Fatal(f"{about}: {error}") from error
            if once:
                task.save("sent", False)
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
                    return self._named(request, request.outputs_in(answer))
            except (NotFound, ValueError):
                pass
            left = end - time.monotonic()
            if left <= 0 or task.wait_for_cancel(min(1.0, left)):
                return None

    def _named(self, request: HttpRequest, found: dict[str, Any]) -> dict[str, Any]:
        """What was found; raises RuntimeError where it does not say what, since it is there all the same."""
        for name in outputs_of_start_needed(type(self)) & request.outputs.keys():
            if is_empty(found[name]):
                text = f"{request.method} {request.path} was answered with nothing at {request.outputs[name]}"
                raise RuntimeError(f"{text}, so nobody can tell what it has found.")
        return found

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
        lost = any(is_empty(calls.outputs.get(name)) for name in outputs_needed(request))
        if self.lookup_request is not None and lost:
            found = self._found(task, calls)
            if found is None:
                raise NotFound(f"nothing bears {task.start_key}")
            calls.know(found)
        return calls
