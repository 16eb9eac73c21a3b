"""What is wrong with the declaration of a stone that speaks HTTP, and what its requests need of one another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marshmallow import missing

from .. import Invalid
from .http_request import HttpRequest

if TYPE_CHECKING:
    from .http_stone import HttpStone

CALLBACK = ("callback_url", "callback_token")


def outputs_needed(request: HttpRequest) -> set[str]:
    """The outputs that a request fills in."""
    return {name.partition(".")[2] for name in request.names() if name.startswith("outputs.")}


def outputs_of_start_needed(stone: type[HttpStone]) -> set[str]:
    """The outputs that the start has to bring, since another request fills them in."""
    ready = stone.ready_request
    later = filter(None, (stone.undo_request, stone.gone_request, stone.check_request))
    needed = {name for each in later for name in outputs_needed(each)}
    return needed if ready is None else outputs_needed(ready) | (needed - ready.outputs.keys())


def check_declaration(stone: type[HttpStone]) -> None:
    """Raise Invalid for declarations that could not be carried out, or would tell a secret."""
    name = stone.__name__
    if stone.request is None or not stone.origins:
        raise Invalid(f"{name} needs origins and a request.", code="stone-invalid")
    for origin in stone.origins.values():
        if not re.fullmatch(r"https?://[^/*?#@\s]+/?", origin):
            raise Invalid(f"{name}: {origin!r} is no origin as https://HOST[:PORT].", code="stone-invalid")
    for each in _requests(stone):
        _check_values(stone, each)
    if stone.lookup_request is not None and outputs_needed(stone.lookup_request):
        raise Invalid(f"{name} looks up by what it has not put out yet: use {{key}}.", code="stone-invalid")
    told = stone.lookup_request.outputs if stone.lookup_request is not None else {}
    for each in filter(None, (stone.undo_request, stone.gone_request)):
        unknown = sorted(outputs_needed(each) - told.keys())
        if unknown:
            text = f"{name} removes by {unknown[0]!r}, of which nobody may have heard"
            raise Invalid(f"{text}: let lookup_request find it, or remove by {{key}}.", code="stone-invalid")
    _check_credentials(stone)


def _check_values(stone: type[HttpStone], request: HttpRequest) -> None:
    """Raise Invalid for what a request cannot be filled in with."""
    name, makes = stone.__name__, request is stone.request
    about = f"{request.method} {request.path}"
    outputs = set() if makes else {f"outputs.{output}" for output in stone.outputs}
    here = {*CALLBACK} if makes and stone.callback_within is not None else set()
    for word in sorted(request.names() - {"key", *stone.parameters} - outputs - here):
        raise Invalid(f"{name} has nothing for '{{{word}}}' of {about}.", code="stone-invalid")
    secret_outputs = {f"outputs.{output}" for output in stone.secret_outputs}
    for word in sorted(request.shown_names() & {*stone.secret_parameters(), *secret_outputs, *CALLBACK}):
        text = f"The secret {word!r} of {name} would be logged with the address"
        raise Invalid(f"{text}: hand it on by a header or the body.", code="stone-invalid")
    optional = {
        word for word, field in stone.parameters.items() if not field.required and field.load_default is missing
    }
    for word in sorted(request.names_that_choose() & optional):
        if not makes:
            text = f"{name} may have no {word!r}, and {about} would then be about more than it has made"
            raise Invalid(f"{text}: make it required, or give it a load_default.", code="stone-invalid")


def _check_credentials(stone: type[HttpStone]) -> None:
    credentials = stone.credentials
    if credentials is None:
        return
    if credentials.parameter is not None and credentials.parameter not in stone.secret_parameters():
        text = f"{stone.__name__} has no secret parameter {credentials.parameter!r}."
        raise Invalid(text, code="stone-invalid")
    client = credentials.client_parameter
    if client is not None and client not in stone.parameters:
        raise Invalid(f"{stone.__name__} has no parameter {client!r} for its client_id.", code="stone-invalid")


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
