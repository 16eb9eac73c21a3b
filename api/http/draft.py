"""``/draft``: what authors draw and have not saved, each with an ETag that whoever writes next has to name."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from ...engine import Draft, Engine, Model, Page
from ..access.clients import present_client
from ..wire.answer import json_response
from ..wire.operation import Operations
from ..wire.records import DraftDetail, DraftPage, DraftRecord, SavedModel
from ..wire.request_schemas.models import DraftHeaders, DraftList, DraftOptions, DraftSaving
from .model import ModelBody, concealed, described

OPERATIONS = Operations()
DETAIL = DraftDetail()
RULE = "/model/<model_id>/draft"


@OPERATIONS.add("/draft", "List drafts, newest first", DraftPage, query=DraftList)
def get_drafts(engine: Engine, query: dict[str, Any]) -> Page[Draft]:
    return engine.drafts(**query)


@OPERATIONS.add(
    "/draft",
    "Begin a model with a draft, which may hold errors",
    DraftDetail,
    body=ModelBody(),
    query=DraftOptions,
    scope="deploy",
)
def post_drafts(engine: Engine, body: dict[str, Any], query: dict[str, Any]) -> Response:
    return written(engine, body, query, None, None)


@OPERATIONS.add(
    RULE, "Show what is drawn of a model and not saved; its ETag is the revision", DraftDetail, problems=(404,)
)
def get_draft(engine: Engine, model_id: str) -> Response:
    response = shown(engine.draft(model_id))
    response.make_conditional(request)
    return response


@OPERATIONS.add(
    RULE,
    "Write the draft of a model, which may hold errors; If-Match names the one that was read, where there was one",
    DraftDetail,
    body=ModelBody(),
    query=DraftOptions,
    headers=DraftHeaders,
    problems=(404, 412),
    scope="deploy",
    audited=False,
)
def put_draft(
    engine: Engine, model_id: str, body: dict[str, Any], query: dict[str, Any], headers: dict[str, Any]
) -> Response:
    return written(engine, body, query, model_id, revision_of(headers))


@OPERATIONS.add(
    RULE,
    "Remove the draft of a model, which stays as it was saved",
    DraftRecord,
    headers=DraftHeaders,
    problems=(404, 412),
    scope="deploy",
)
def delete_draft(engine: Engine, model_id: str, headers: dict[str, Any]) -> Draft:
    return engine.discard_draft(model_id, revision=revision_of(headers))


@OPERATIONS.add(
    f"{RULE}/save",
    "Make a draft the model, checked as a model that is sent",
    SavedModel,
    query=DraftSaving,
    headers=DraftHeaders,
    problems=(404, 409, 412),
    scope="deploy",
)
def post_draft_save(engine: Engine, model_id: str, query: dict[str, Any], headers: dict[str, Any]) -> Model:
    return engine.save_draft(model_id, revision=revision_of(headers), replace=query.get("replace", False))


def revision_of(headers: dict[str, Any]) -> str | None:
    """The revision in the tag that a request names."""
    tag: str | None = headers.get("revision")
    return None if tag is None else tag.removeprefix("W/").strip('"')


def written(
    engine: Engine, body: dict[str, Any], query: dict[str, Any], model_id: str | None, revision: str | None
) -> Response:
    """The draft as it was written."""
    told = described(body, query)
    del told["protected"]
    return shown(
        engine.write_draft(
            *body["sources"], model_id=model_id, revision=revision, who=present_client().name or None, **told
        )
    )


def shown(draft: Draft) -> Response:
    """A draft with its revision as its ETag."""
    response = json_response(DETAIL.dump(concealed(draft)))
    response.set_etag(draft.revision)
    return response
