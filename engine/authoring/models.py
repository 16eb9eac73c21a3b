"""Models: what is authored, and checked before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

from ...models import DeploymentRow, ModelRow, Store
from ..clock import Clock
from ..errors import Conflict, UnknownDeployment, UnknownModel
from ..findings import Finding
from ..limits import Limits
from ..stones.registry import Stones
from ..views.tasks import TaskBinding
from .definitions import Definitions
from .model_views import Model, model_view
from .sources import Source, Template, pack, read_sources, template_text, unpack

if TYPE_CHECKING:
    from ..bpmn.reading.parser import ParsedModels
    from .bundle import Bundles


class Models:
    """Keeps models in the store, and reads their files; see :class:`Deployments` for their versions."""

    def __init__(self, store: Store, clock: Clock, stones: Stones, limits: Limits, *, scripts: bool) -> None:
        self.store = store
        self.clock = clock
        self.stones = stones
        self.limits = limits
        self.scripts = scripts
        self.definitions = Definitions(self._row, limits=limits, scripts=scripts)

    @cached_property
    def bundles(self) -> Bundles:
        """What reads the files of models."""
        from .bundle import Bundles  # late, as it says itself

        return Bundles(self.store, self.definitions, self.stones, self.limits, scripts=self.scripts)

    def _row(self, deployment_id: str) -> DeploymentRow:
        row = self.store.catalogue.deployment(deployment_id)
        if row is None:
            raise UnknownDeployment(deployment_id)
        return row

    def lint(
        self,
        source: Source,
        *more: Source,
        parameter_template: Template = None,
        outputs_template: Template = None,
        strict: bool = False,
        external: bool = False,
    ) -> list[Finding]:
        """Everything that is wrong or doubtful about files that would be deployed together; nothing is stored.

        With ``strict`` a breach of a formal rule of BPMN is an error, even where the file can be run. With ``external``
        topics and job types that no stone serves are none.
        Raises Malformed or TooLarge for what is no XML.
        """
        texts = template_text(parameter_template), template_text(outputs_template)
        return self.bundles.lint(*read_sources(source, more), *texts, strict=strict, external=external)

    def bindings(self, source: Source, *more: Source) -> list[TaskBinding]:
        """Which stone, decision or person carries out each task of files, and what goes in and out, as it was read.

        It is empty for files that are refused for other reasons than their tasks. Raises as :meth:`lint` does.
        """
        return self.bundles.bindings(*read_sources(source, more))

    def lint_model(self, model_id: str, *, strict: bool = False) -> list[Finding]:
        """Everything that is wrong or doubtful about a model as it now stands, as :meth:`lint`; raises UnknownModel."""
        model = self.model_row(model_id)
        sources = unpack(model.sources)
        names = [None] * len(sources)
        return self.bundles.lint(sources, names, model.parameter_template, model.outputs_template, strict=strict)

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

        ``protected`` says whether the delete of what its processes made is refused; None leaves it. Raises as
        :meth:`deploy` does, UnknownModel, and Conflict for a process of another key.
        """
        sources, names = read_sources(source, more)
        if model_id is not None:
            self.model_row(model_id)
        return self.save(
            sources,
            names,
            (template_text(parameter_template), template_text(outputs_template)),
            name=name,
            protected=protected,
            before=lambda: None if model_id is None else self.model_row(model_id),
        )

    def save(
        self,
        sources: list[bytes],
        names: list[str | None],
        texts: tuple[str | None, str | None],
        *,
        name: str | None,
        before: Callable[[], ModelRow | None],
        after: Callable[[], None] = lambda: None,
        model_id: str | None = None,
        protected: bool | None = None,
    ) -> Model:
        """Check and save a model.

        ``before`` and ``after`` are called within the transaction: the one gives the model that is replaced, where
        there is one, the other does what belongs to the saving. A new model has the ``model_id``, or any.
        """
        parsed, findings = self.bundles.checked(sources, names, *texts)
        drawn = self.bundles.drawn(sources, names, parsed)

        def save() -> ModelRow:
            known = before()
            if known is not None:
                _refuse_other_key(known, str(parsed.key))
            row = self._model_row(parsed, drawn, texts, known, name, protected, model_id)
            self.store.catalogue.save_model(row)
            after()
            return row

        row = self.store.catalogue.alone(save)
        return replace(model_view(row), findings=tuple(findings), tasks=tuple(self.bundles.bindings(sources, names)))

    def _model_row(
        self,
        parsed: ParsedModels,
        sources: Sequence[bytes],
        texts: tuple[str | None, str | None],
        before: ModelRow | None,
        name: str | None,
        protected: bool | None,
        model_id: str | None = None,
    ) -> ModelRow:
        key = str(parsed.key)
        now = self.clock.now()
        if before is not None:
            # By this time drafts tell whether the model is the one that they were begun on.
            now = max(now, before.updated + 1)
        return ModelRow(
            id=before.id if before is not None else model_id or str(uuid4()),
            key=key,
            name=(name or parsed.name or key)[:255],
            sources=pack(sources),
            parameter_template=texts[0],
            outputs_template=texts[1],
            created=before.created if before is not None else now,
            updated=now,
            protected=int((before is not None and before.protected) if protected is None else protected),
        )

    def protect_model(self, model_id: str, on: bool = True) -> Model:
        """Refuse the delete of what processes of a model made, or allow it again; rollbacks are not held up.

        Raises UnknownModel.
        """
        self.model_row(model_id)
        self.store.execute("UPDATE `process_model` SET `protected` = ? WHERE `id` = ?", (int(on), model_id))
        return self.model(model_id)

    def model(self, model_id: str) -> Model:
        """One model; raises UnknownModel."""
        return model_view(self.model_row(model_id))

    def model_row(self, model_id: str) -> ModelRow:
        """The model as it is stored; raises UnknownModel."""
        row = self.store.catalogue.model(model_id)
        if row is None:
            raise UnknownModel(model_id)
        return row


def _refuse_other_key(model: ModelRow, key: str) -> None:
    """Raise Conflict where a model would go on under another key, by which nobody would find its versions."""
    if key == model.key:
        return
    text = f"The model {model.name[:80]!r} has the key {model.key[:80]!r}, and the first process now is {key[:80]!r}"
    raise Conflict(f"{text}: give it the id {model.key[:80]!r}, or save it as a new model.", code="key-changed")
