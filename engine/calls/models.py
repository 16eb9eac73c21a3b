"""The engine's calls about models and deployments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

from .. import jsontext
from ..authoring.deployments import Deployments
from ..authoring.model_views import Deployment, Model, deployment_view, model_view
from ..authoring.triggers import times_of
from ..bpmn.running.timers.cycles import TimerKind
from ..clock import moment
from ..operating import removal
from ..showing.forms import show_start_form
from ..showing.lists.pages import read_part
from ..store_errors import engine_errors
from ..undo.file import sources_of
from ..views.pages import Page, refuse_limit
from ..views.people import StartForm
from ..views.processes import NextTimes
from .workings import Workings, cursor_of

Given = ParamSpec("Given")
Found = TypeVar("Found")


def _of_deployments(
    call: Callable[Concatenate[Deployments, Given], Found],
) -> Callable[Concatenate[ModelCalls, Given], Found]:
    """What the engine's deployments do, as a call of the engine."""

    def asked(self: ModelCalls, /, *given: Given.args, **options: Given.kwargs) -> Found:
        with engine_errors():
            return call(self._deployments, *given, **options)

    return update_wrapper(asked, call)


class ModelCalls(Workings):
    """A part of :class:`~riverstone.engine.Engine`."""

    lint = _of_deployments(Deployments.lint)
    bindings = _of_deployments(Deployments.bindings)
    deploy = _of_deployments(Deployments.deploy)
    deploy_model = _of_deployments(Deployments.deploy_model)
    lint_model = _of_deployments(Deployments.lint_model)
    model = _of_deployments(Deployments.model)
    protect_model = _of_deployments(Deployments.protect_model)
    save_model = _of_deployments(Deployments.save_model)

    def next_times(self, kind: TimerKind, text: str) -> NextTimes:
        """When a timer would come that is set now, at most three times; raises ExpressionError for what is no time.

        Args:
            kind: What the model calls it.
            text: What the model says, as a constant.
        """
        return NextTimes(times=tuple(map(moment, times_of(kind, text, self.clock.now(), self.limits))))

    def start_form(
        self,
        *,
        key: str | None = None,
        deployment_id: str | None = None,
        model_id: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> StartForm:
        """What a start asks for: the form of the model's start event, as it stands with ``values`` or its defaults.

        Nothing is kept of them. :meth:`start` checks by the same form, whoever starts a process; what messages,
        signals, timers and call activities start is not checked by it.

        Args:
            key: Of which the newest deployment is meant. Exactly one of the three says what would be started.
            deployment_id: That version.
            model_id: The model as it now stands.
            values: What is filled in so far.

        Returns:
            The form, without parts where the model has none. Where it has no parameter template either, the
            variables that the model reads.

        Raises:
            UnknownDeployment, UnknownModel: Where there is no such thing.
            Conflict: For a deployment of decisions.
            Malformed: For none or several of the three.
            ExpressionWork: Where its expressions would have to look at too much.
        """
        if values is not None:
            jsontext.check(dict(values), limits=self.limits, name="values")
        with engine_errors():
            found = self._deployments.to_show(key=key, deployment_id=deployment_id, model_id=model_id)
            read = self._deployments.bundles.start_variables
            return show_start_form(found, values, self.clock.now(), self.limits, lambda: read(found.process))

    def remove_model(self, model_id: str, *, owner: str | None = None) -> Model:
        """Take a model with all its versions out of use: nothing is started from it any more.

        A refusal counts all processes, and names those of ``owner`` alone where one is given.

        Raises UnknownModel, Conflict while it is protected, or processes need it to go on or to be undone.
        """
        with engine_errors():
            return removal.remove_model(self._deployments, model_id, owner)

    def remove_deployment(self, deployment_id: str, *, owner: str | None = None) -> Deployment:
        """Take one version out of use; its key then means the newest that is left.

        A refusal counts all processes, and names those of ``owner`` alone where one is given.

        Raises UnknownDeployment, Conflict while processes need it to go on or to be undone.
        """
        with engine_errors():
            return removal.remove_deployment(self._deployments, deployment_id, owner)

    def models(self, *, limit: int = 50, cursor: str | None = None, key: str | None = None) -> Page[Model]:
        """Models, newest first; raises Malformed for a cursor that is none."""
        refuse_limit(limit)
        with engine_errors():
            rows, further = read_part(
                lambda wanted, after: self._store.catalogue.models(limit=wanted, cursor=after, key=key),
                limit,
                cursor_of(cursor),
                self.limits.page_size,
            )
        return Page(items=tuple(model_view(row) for row in rows), cursor=further)

    def deployment(self, deployment_id: str) -> Deployment:
        """One deployment; raises UnknownDeployment."""
        with engine_errors():
            row = self._deployments.row_in_use(deployment_id)
            row.sources = sources_of(self._store, row)
            return replace(deployment_view(row), next_starts=self._deployments.next_starts(deployment_id))

    def deployments(
        self, *, limit: int = 50, cursor: str | None = None, key: str | None = None, model_id: str | None = None
    ) -> Page[Deployment]:
        """Deployments, newest first; raises Malformed for a cursor that is none."""
        refuse_limit(limit)
        with engine_errors():
            rows, further = read_part(
                lambda wanted, after: self._store.catalogue.deployments(
                    limit=wanted, cursor=after, key=key, model_id=model_id
                ),
                limit,
                cursor_of(cursor),
                self.limits.page_size,
            )
        return Page(items=tuple(deployment_view(row) for row in rows), cursor=further)
