"""``/session``: people sign in with their browser, and sign out again."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from ...engine import Engine, RiverstoneError
from ..access.browser_session import BrowserSession
from ..access.clients import KNOWN, Client, call_of, present_client
from ..access.gate import answers_everybody
from ..access.openid import Provider, SignInRefused
from ..access.rule import Access
from ..wire.answer import json_response

LONGEST = 4096
"""Characters of one parameter with which a browser comes back."""


def create_sign_in(access: Access | None) -> Blueprint:
    """What a browser needs to sign in by OpenID Connect; without a provider it is told that there is none."""
    blueprint = Blueprint("session", __name__)
    provider, session = (None, None) if access is None else (access.provider, access.session)

    def offered() -> Response:
        return json_response({"offered": provider is not None})

    blueprint.add_url_rule("/session", view_func=answers_everybody(offered), methods=["GET"])
    if access is not None and provider is not None and session is not None:
        begin, back, end, leave = _views(access, provider, session)
        blueprint.add_url_rule("/session/begin", view_func=begin, methods=["GET"])
        blueprint.add_url_rule("/session/return", view_func=back, methods=["GET"])
        blueprint.add_url_rule("/session", view_func=end, methods=["DELETE"])
        blueprint.add_url_rule("/session/end", view_func=leave, methods=["GET"])
    return blueprint


def _views(access: Access, provider: Provider, session: BrowserSession) -> tuple[Callable[[], Response], ...]:
    """What leads to the provider, takes whoever comes back from it, ends a session, and leads away from it."""

    @answers_everybody
    def begin() -> Response:
        answer = Response(status=302)
        try:
            secrets = session.begin(answer)
            answer.headers["Location"] = provider.address(_redirect(session), secrets)
        except RiverstoneError as error:
            return _to_console(session, error.code)
        return answer

    @answers_everybody
    def back() -> Response:
        try:
            answer = _to_console(session, None)
            session.keep(answer, _taken(access.engine, provider, session))
        except RiverstoneError as error:
            if isinstance(error, SignInRefused):
                access.refusals.note("sign-in", error.code)
            return _to_console(session, error.code)
        return answer

    def end() -> Response:
        answer = Response(status=204)
        with access.engine.audit.recording(call_of(present_client(), request.environ, "sign-out", None)):
            session.end(answer)
        return answer

    @answers_everybody
    def leave() -> Response:
        """Lead a browser whose session has ended here to the provider. It ends nothing, as any page can lead there."""
        try:
            address = provider.sign_out_address(f"{session.base}/console/")
        except RiverstoneError:
            return _to_console(session, "sign-out-unfinished")
        return _to_console(session, None) if address is None else Response(status=302, headers={"Location": address})

    vars(end)["scope"] = KNOWN
    return begin, back, end, leave


def _taken(engine: Engine, provider: Provider, session: BrowserSession) -> str:
    """The text of a new session for whoever comes back; raises SignInRefused, ProviderUnavailable, StoreUnavailable."""
    given = {name: texts[0] for name, texts in request.args.lists() if len(texts) == 1}
    secrets = session.begun(given.get("state", ""))
    if secrets is None or any(len(text) > LONGEST for text in given.values()):
        raise SignInRefused("This browser has not begun to sign in just now.", code="sign-in-expired")
    person = provider.person(_redirect(session), secrets, given)
    client = Client(name=f"user:{person.user}", user=person.user)
    with engine.audit.recording(call_of(client, request.environ, "sign-in", None)):
        _, text = engine.sessions.begin(person.user, groups=person.groups, scopes=person.scopes, owner=person.owner)
    return text


def _redirect(session: BrowserSession) -> str:
    return f"{session.base}/session/return"


def _to_console(session: BrowserSession, code: str | None) -> Response:
    """Whoever signs in is a person before a browser: what went wrong is told by a page of the console."""
    place = "" if code is None else f"#/sign-in/{code}"
    return Response(status=302, headers={"Location": f"{session.root}/console/{place}"})
