"""The engine's calls about models and deployments."""

from __future__ import annotations

from ..authoring.model_views import Deployment, Model, deployment_view, model_view
from ..authoring.sources import Source, Template
from ..findings import Finding
from ..operating import removal
from ..showing.pages import read_part
from ..undo.file import sources_of
from ..views import Page, TaskBinding
from .workings import Workings, cursor_of, ours, read_sources


class ModelCalls(Workings):
    """A part of :class:`~riverstone.engine.Engine`."""

    def lint(self, source: Source, *more: Source) -> list[Finding]:
        """Everything that is wrong or doubtful about files that would be deployed together; nothing is stored.

        Raises Malformed or TooLarge for what is no XML.
        """
        sources, names = read_sources(source, more)
        with ours():
            return self._deployments.bundles.lint(sources, names)

    def bindings(self, source: Source, *more: Source) -> list[TaskBinding]:
        """Which stone, decision or person carries out each task of files, and what goes in and out, as it was read.

        It is empty for files that are refused for other reasons than their tasks. Raises as :meth:`lint` does.
        """
        sources, names = read_sources(source, more)
        with ours():
            return self._deployments.bundles.bindings(sources, names)

    def deploy(
        self,
        source: Source,
        *more: Source,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        protected: bool | None = None,
    ) -> Deployment:
        """Check and number a BPMN file, with the files of the processes it calls; identical content is deployed once.

        ``protected`` says whether the delete of what processes of the model made is refused; None leaves it.
        Raises ModelInvalid with every finding, Malformed, TooLarge, Invalid for a wrong template.
        """
        sources, names = read_sources(source, more)
        with ours():
            return self._deployments.deploy(
                sources,
                names,
                name=name,
                parameter_template=parameter_template,
                outputs_template=outputs_template,
                protected=protected,
            )

    def save_model(
        self,
        source: Source,
        *more: Source,
        model_id: str | None = None,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        protected: bool | None = None,
    ) -> Model:
        """Create a model, or replace the one with ``model_id``; it is checked as a deployment is.

        ``protected`` says whether the delete of what its processes made is refused; None leaves it.
        """
        sources, names = read_sources(source, more)
        with ours():
            return self._deployments.save_model(
                sources,
                names,
                model_id=model_id,
                name=name,
                parameter_template=parameter_template,
                outputs_template=outputs_template,
                protected=protected,
            )

    def lint_model(self, model_id: str) -> list[Finding]:
        """Everything that is wrong or doubtful about a model as it now stands; raises UnknownModel."""
        with ours():
            return self._deployments.lint_model(model_id)

    def deploy_model(self, model_id: str) -> Deployment:
        """Number the model as it now stands; raises UnknownModel, ModelInvalid."""
        with ours():
            return self._deployments.deploy_model(model_id)

    def protect_model(self, model_id: str, on: bool = True) -> Model:
        """Refuse the delete of what processes of a model made, or allow it again; rollbacks are not held up.

        Raises UnknownModel.
        """
        with ours():
            return self._deployments.protect(model_id, on)

    def remove_model(self, model_id: str) -> Model:
        """Take a model with all its versions out of use: nothing is started from it any more.

        Raises UnknownModel, Conflict while it is protected, or processes need it to go on or to be undone.
        """
        with ours():
            return removal.remove_model(self._deployments, model_id)

    def remove_deployment(self, deployment_id: str) -> Deployment:
        """Take one version out of use; its key then means the newest that is left.

        Raises UnknownDeployment, Conflict while processes need it to go on or to be undone.
        """
        with ours():
            return removal.remove_deployment(self._deployments, deployment_id)

    def model(self, model_id: str) -> Model:
        """One model; raises UnknownModel."""
        with ours():
            return self._deployments.model(model_id)

    def models(self, *, limit: int = 50, cursor: str | None = None, key: str | None = None) -> Page[Model]:
        """Models, newest first; raises Malformed for a cursor that is none."""
        with ours():
            rows, further = read_part(
                lambda wanted, after: self._store.catalogue.models(limit=wanted, cursor=after, key=key),
                limit,
                cursor_of(cursor),
                self.limits.page_size,
            )
        return Page(items=tuple(model_view(row) for row in rows), cursor=further)

    def deployment(self, deployment_id: str) -> Deployment:
        """One deployment; raises UnknownDeployment."""
        with ours():
            row = self._deployments.row_in_use(deployment_id)
            row.sources = sources_of(self._store, row)
            return deployment_view(row)

    def deployments(
        self, *, limit: int = 50, cursor: str | None = None, key: str | None = None, model_id: str | None = None
    ) -> Page[Deployment]:
        """Deployments, newest first; raises Malformed for a cursor that is none."""
        with ours():
            rows, further = read_part(
                lambda wanted, after: self._store.catalogue.deployments(
                    limit=wanted, cursor=after, key=key, model_id=model_id
                ),
                limit,
                cursor_of(cursor),
                self.limits.page_size,
            )
        return Page(items=tuple(deployment_view(row) for row in rows), cursor=further)
