"""The engine's calls about what authors draw and have not saved yet."""

from __future__ import annotations

from ..authoring import drafts
from ..authoring.model_views import Draft, Model
from ..authoring.sources import Source, Template
from ..showing.lists.pages import read_part
from ..store_errors import engine_errors
from ..views.pages import Page, refuse_limit
from .models import ModelCalls
from .workings import cursor_of


class DraftCalls(ModelCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def write_draft(
        self,
        source: Source,
        *more: Source,
        model_id: str | None = None,
        revision: str | None = None,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        who: str | None = None,
    ) -> Draft:
        """Keep files that an author draws, whatever the checks say of them; starts use the saved model.

        Args:
            source: A BPMN or DMN file.
            more: The other files of the model.
            model_id: The model, or a draft that was never saved; None begins a model of its own.
            revision: That of the draft as its author has read it; None where there was none.
            name: The model's, as now unless given.
            parameter_template: What the start takes.
            outputs_template: What the process puts out.
            who: Who draws, for the others.

        Raises UnknownModel, Conflict (``draft-changed``: somebody else has written it), Malformed and TooLarge for what
        is no XML.
        """
        with engine_errors():
            return drafts.write_draft(
                self._deployments,
                (source, *more),
                model_id=model_id,
                revision=revision,
                name=name,
                parameter_template=parameter_template,
                outputs_template=outputs_template,
                who=who,
            )

    def draft(self, model_id: str) -> Draft:
        """What is drawn of a model and not saved; raises UnknownDraft."""
        with engine_errors():
            return drafts.draft(self._deployments, model_id)

    def drafts(self, *, limit: int = 50, cursor: str | None = None) -> Page[Draft]:
        """All drafts, newest first; raises Malformed for a cursor that is none."""
        refuse_limit(limit)
        with engine_errors():
            rows, further = read_part(
                lambda wanted, after: self._store.drafts.drafts(limit=wanted, cursor=after),
                limit,
                cursor_of(cursor),
                self.limits.page_size,
            )
            return Page(items=tuple(drafts.shown(self._deployments, row) for row in rows), cursor=further)

    def save_draft(self, model_id: str, *, revision: str | None = None, replace: bool = False) -> Model:
        """Make a draft the model, checked as by :meth:`save_model`, and remove it.

        Args:
            model_id: That of the draft; a model that was never saved gets it.
            revision: That of the draft as its author has read it; None saves whatever is there.
            replace: Save it although the model was saved otherwise since the draft was begun.

        Raises UnknownDraft, ModelInvalid, Conflict (``draft-changed``, ``model-changed``, ``key-changed``).
        """
        with engine_errors():
            return drafts.save_draft(self._deployments, model_id, revision=revision, replace=replace)

    def discard_draft(self, model_id: str, *, revision: str | None = None) -> Draft:
        """Remove a draft; its model stays as it was saved.

        Raises UnknownDraft, Conflict (``draft-changed``) where ``revision`` is given and not its.
        """
        with engine_errors():
            return drafts.discard_draft(self._deployments, model_id, revision=revision)
