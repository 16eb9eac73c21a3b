"""Drafts of models: what authors draw, with errors too, until they save it, and never overwrite unseen."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from ...models import DraftRow, ModelRow
from ..errors import Conflict, UnknownDraft, UnknownModel
from .deployments import Deployments
from .model_views import Draft, Model, draft_view
from .sources import Source, Template, pack, read_sources, template_text, unpack


def write_draft(
    deployments: Deployments,
    sources: Sequence[Source],
    *,
    model_id: str | None,
    revision: str | None,
    name: str | None,
    parameter_template: Template,
    outputs_template: Template,
    who: str | None,
) -> Draft:
    """Keep what is drawn; see :meth:`~riverstone.engine.Engine.write_draft`."""
    texts, names = read_sources(sources[0], sources[1:])
    key, drawn_name = deployments.bundles.named(texts)
    drawn = deployments.bundles.drawn(texts, names)
    templates = template_text(parameter_template), template_text(outputs_template)
    mark = str(uuid4())

    def write() -> DraftRow:
        before = None if model_id is None else deployments.store.drafts.draft(model_id)
        model = None if model_id is None else deployments.store.catalogue.model(model_id)
        if model_id is not None and before is None and model is None:
            raise UnknownModel(model_id)
        if before is not None and before.revision == mark:
            return before
        _compare(before, revision)
        now = deployments.clock.now()
        known = before or model
        row = DraftRow(
            id=model_id or str(uuid4()),
            revision=mark,
            key=key[:255],
            name=(name or (known.name if known is not None else None) or drawn_name or key)[:255],
            sources=pack(drawn),
            parameter_template=templates[0],
            outputs_template=templates[1],
            base=_base(before, model),
            created=before.created if before is not None else now,
            updated=now,
            who=who[:255] if who else None,
        )
        deployments.store.drafts.put(row)
        return row

    return shown(deployments, deployments.store.catalogue.alone(write))


def _base(before: DraftRow | None, model: ModelRow | None) -> int | None:
    if before is not None:
        return before.base
    return None if model is None else model.updated


def _compare(row: DraftRow | None, revision: str | None) -> None:
    """Raise Conflict where the draft is not the one that its author has seen, None where that was none."""
    if (None if row is None else row.revision) == revision:
        return
    if row is None:
        text = "The draft is no more: it was saved or discarded meanwhile. Look at the model, then write a new draft."
        raise Conflict(text, code="draft-changed")
    by = f" by {row.who}" if row.who else ""
    seen = "since you have read it" if revision else "already"
    text = f"The draft of {row.name!r} was written{by} {seen}: read it (revision {row.revision}), then write yours."
    raise Conflict(text, code="draft-changed")


def draft(deployments: Deployments, model_id: str) -> Draft:
    """The draft of a model; raises UnknownDraft."""
    return shown(deployments, _row(deployments, model_id))


def shown(deployments: Deployments, row: DraftRow) -> Draft:
    """What is shown of a draft: also whether its model was saved since it was begun."""
    model = deployments.store.catalogue.model(row.id)
    return draft_view(row, None if model is None else model.updated)


def save_draft(deployments: Deployments, model_id: str, *, revision: str | None, replace: bool) -> Model:
    """Make the draft the model; see :meth:`~riverstone.engine.Engine.save_draft`."""
    row = _row(deployments, model_id)
    _compare(row, row.revision if revision is None else revision)
    sources = unpack(row.sources)

    def before() -> ModelRow | None:
        # Asked within the transaction that saves: what was checked is what the draft still is.
        _compare(deployments.store.drafts.draft(model_id), row.revision)
        model = deployments.store.catalogue.model(model_id)
        base = None if model is None else model.updated
        if base != row.base and not replace:
            text = (
                f"The model {row.name!r} was saved by somebody else since this draft was begun: compare the two, then"
                " discard the draft or save it with replace."
            )
            raise Conflict(text, code="model-changed")
        return model

    return deployments.save(
        sources,
        [None] * len(sources),
        (row.parameter_template, row.outputs_template),
        model_id=model_id,
        name=row.name,
        before=before,
        after=lambda: deployments.store.drafts.remove(model_id),
    )


def discard_draft(deployments: Deployments, model_id: str, *, revision: str | None) -> Draft:
    """Remove a draft, its model stays as it was saved; raises UnknownDraft, Conflict."""

    def remove() -> DraftRow:
        row = _row(deployments, model_id)
        _compare(row, row.revision if revision is None else revision)
        deployments.store.drafts.remove(model_id)
        return row

    return shown(deployments, deployments.store.catalogue.alone(remove))


def _row(deployments: Deployments, model_id: str) -> DraftRow:
    row = deployments.store.drafts.draft(model_id)
    if row is None:
        raise UnknownDraft(model_id)
    return row
