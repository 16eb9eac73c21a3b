"""Deployments: versions of models, numbered and found again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from ...models import AlreadyUsed, DeploymentRow, Leases, ModelRow, Store
from ...models.catalogue import Tag, TagKind, Trigger
from .. import failpoints
from ..bpmn.running.failure_policy import asked_policy
from ..clock import Clock, moment
from ..errors import Invalid, Malformed, UnknownDeployment
from ..limits import Limits
from ..stones.registry import Stones
from .definitions import Definition
from .model_views import Deployment, deployment_view
from .models import Models
from .sources import Source, Template, digest_of, pack, read_sources, template_text, unpack
from .triggers import Times, next_times, triggers_of

if TYPE_CHECKING:
    from ..bpmn.reading.parser import ParsedModels


LONGEST_TAG = 255
LONGEST_FORM = 200
"""Characters of an id by which a form is found from other deployments."""


class Options(NamedTuple):
    """What is said of a version beside its files."""

    on_failure: str | None
    undo_on_compensation: bool

    @property
    def texts(self) -> tuple[str, ...]:
        """What tells it apart from others; without any, the same version has been told apart by its files alone."""
        by_stones = ("undoOnCompensation",) if self.undo_on_compensation else ()
        return (*((self.on_failure,) if self.on_failure else ()), *by_stones)


class Deployments(Models):
    """Keeps the versions of models in the store too, and their definitions at hand."""

    def __init__(self, store: Store, clock: Clock, stones: Stones, limits: Limits, *, scripts: bool) -> None:
        super().__init__(store, clock, stones, limits, scripts=scripts)
        self._newest: dict[str, str] = {}
        """The newest deployment of each key, as far as it was asked about."""
        self.assume: Callable[[Collection[str]], None] = lambda codes: None
        """Takes codes for those of workers over HTTP."""

    def deploy(
        self,
        source: Source,
        *more: Source,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        protected: bool | None = None,
        strict: bool = False,
        external: bool = False,
        on_failure: str | None = None,
        undo_on_compensation: bool = False,
    ) -> Deployment:
        """Check and number a BPMN file, with the files of the processes it calls; identical content is deployed once.

        ``protected`` says whether the delete of what processes of the model made is refused; None leaves it.
        With ``strict`` a breach of a formal rule of BPMN is refused, even where the file can be run. With ``external``
        the topics and job types that no stone serves are those of workers over HTTP, who fetch their tasks.
        ``on_failure`` is what follows a failure in its processes (``rollback``, ``pause``, ``keep``, or ``pause`` and
        how long, such as ``pause PT2H``) where neither the element nor the start says otherwise. With
        ``undo_on_compensation`` a compensation of the model has stones undo what they made, where no handler is
        drawn and no element says otherwise. Both are a part of the version: the same files with others are another.
        Raises ModelInvalid with every finding, Malformed, TooLarge, Invalid for a wrong template or policy.
        """
        options = _options(on_failure, undo_on_compensation)
        sources, names = read_sources(source, more)
        texts = template_text(parameter_template), template_text(outputs_template)
        if external:
            self.assume(self.bundles.unknown_topics(sources, names, *texts, strict=strict))
        parsed, _ = self.bundles.checked(sources, names, *texts, strict=strict, external=external)
        drawn = self.bundles.drawn(sources, names, parsed)
        digest = digest_of(drawn, *texts, options.texts)
        key = str(parsed.key)

        def number() -> Deployment:
            newest = self.store.catalogue.newest_deployment(key)
            if newest is not None and newest.digest == digest:
                if protected is not None and newest.model_id is not None:
                    self.protect_model(newest.model_id, protected)
                return deployment_view(newest)
            model = self._model_row(parsed, drawn, texts, self.store.catalogue.model_of_key(key), name, protected)
            self.store.catalogue.save_model(model)
            return self._number_all(model, digest, parsed, options)

        return self._numbered(number)

    def _numbered(self, number: Callable[[], Deployment]) -> Deployment:
        """Number what is deployed, and nobody else meanwhile."""
        failpoints.reach("before-deployment")
        found = self.store.catalogue.alone(number)
        self._newest.clear()
        # Instances run what is read anew from the store, so this would be a second copy of the model.
        self.bundles.forget()
        failpoints.reach("after-deployment")
        return found

    def deploy_model(
        self,
        model_id: str,
        *,
        strict: bool = False,
        on_failure: str | None = None,
        undo_on_compensation: bool = False,
    ) -> Deployment:
        """Number the model as it now stands, as :meth:`deploy` does; raises UnknownModel, ModelInvalid, Invalid."""
        options = _options(on_failure, undo_on_compensation)
        model = self.model_row(model_id)
        sources = unpack(model.sources)
        digest = digest_of(sources, model.parameter_template, model.outputs_template, options.texts)
        newest = self.store.catalogue.newest_deployment(model.key)
        borrows = self.bundles.holds_copies(sources)
        if newest is not None and newest.digest == digest and not strict and not borrows:
            return deployment_view(newest)
        templates, names = (model.parameter_template, model.outputs_template), [None] * len(sources)
        parsed, _ = self.bundles.checked(sources, names, *templates, strict=strict)
        if borrows:
            # The forms of other deployments may have changed since the model was saved.
            sources = self.bundles.drawn(sources, names, parsed)
            digest = digest_of(sources, *templates, options.texts)
            model = replace(model, sources=pack(sources))
        return self._numbered(lambda: self._number_all(model, digest, parsed, options))

    def _number_all(self, model: ModelRow, digest: str, parsed: ParsedModels, options: Options) -> Deployment:
        """Number every process of a bundle that can be started by its own key; the first is what was deployed."""
        rows = [self._number(model, key, digest, parsed, options) for key in parsed.executable or [str(parsed.key)]]
        return deployment_view(rows[0])

    def _number(self, model: ModelRow, key: str, digest: str, parsed: ParsedModels, options: Options) -> DeploymentRow:
        """The next version of a key, or the newest if that already holds the same."""
        newest = self.store.catalogue.newest_deployment(key)
        if newest is not None and newest.digest == digest:
            return newest
        if newest is not None:
            self._refuse_other_kind(newest, parsed)
        row = self._deployment_row(model, key, digest, self.store.catalogue.last_version(key) + 1)
        row.on_failure, row.undo_on_compensation = options.on_failure, int(options.undo_on_compensation)
        if key != model.key:
            # The templates are about the first process of a bundle.
            row.parameter_template = row.outputs_template = None
        self.store.catalogue.add_deployment(
            row, self.triggers(parsed, key), _tags(parsed, key, self._forms(parsed, key))
        )
        return row

    def _refuse_other_kind(self, newest: DeploymentRow, parsed: ParsedModels) -> None:
        """Raise Invalid where a key of processes is asked for decisions, or the other way round."""
        holds_processes = not self.bundles.holds_decisions(unpack(newest.sources))
        if holds_processes != bool(parsed.processes):
            text = f"The key {newest.key!r} belongs to {'a process' if holds_processes else 'decisions'} already"
            raise Invalid(f"{text}: give the definitions of this file another id.", code="key-taken")

    def _deployment_row(self, model: ModelRow, key: str, digest: str, version: int) -> DeploymentRow:
        return DeploymentRow(
            id=str(uuid4()),
            model_id=model.id,
            key=key,
            name=model.name,
            version=version,
            digest=digest,
            sources=model.sources,
            parameter_template=model.parameter_template,
            outputs_template=model.outputs_template,
            created=self.clock.now(),
        )

    def triggers(self, parsed: ParsedModels, key: str) -> list[Trigger]:
        """What starts the process of this key from now on, and which decisions are found in its newest version."""
        process = parsed.processes.get(key)
        starting = [] if process is None else triggers_of(process, self._times(), self.limits)
        decisions = parsed.decisions if parsed.decisions is not None and key == parsed.key else None
        found = () if decisions is None else decisions.evaluable
        forms: list[Trigger] = [("form", name, "") for name in self._forms(parsed, key)]
        return [*starting, *(("decision", each.id, each.name[:255]) for each in found), *forms]

    def _forms(self, parsed: ParsedModels, key: str) -> dict[str, str | None]:
        """The forms of a deployment that other models can show, with their version tags: found by its first key."""
        own = {} if parsed.forms is None or key != parsed.key else parsed.forms.own(self.limits)
        return {name: tag for name, tag in own.items() if len(name) <= LONGEST_FORM}

    def next_starts(self, deployment_id: str) -> tuple[datetime, ...]:
        """When the timers of a deployment start processes next."""
        timers = self.store.catalogue.start_timers(deployment_id)
        if not timers:
            return ()
        process = self.definitions.get(deployment_id).process
        return tuple(moment(due) for due in next_times(process, timers, self._times(), self.limits))

    def _times(self) -> Times:
        now = self.clock.now()
        return Times(now, Leases(self.store).now() if self.clock.runs_by_itself else now)

    def triggers_of(self, deployment_id: str) -> list[Trigger]:
        """The same of a deployment that is there."""
        row = self._row(deployment_id)
        return self.triggers(self.definitions.parsed(row), row.key)

    def row_in_use(self, deployment_id: str) -> DeploymentRow:
        """A deployment that was not removed; raises UnknownDeployment."""
        row = self._row(deployment_id)
        if row.removed is not None:
            raise UnknownDeployment(deployment_id)
        return row

    # -- finding what to start

    def to_start(self, *, key: str | None, deployment_id: str | None, model_id: str | None) -> Definition:
        """The definition that a start request means; raises Malformed, UnknownDeployment, UnknownModel, Conflict.

        For a key it is that of the newest deployment when that was last asked for, and one that is named may be
        removed: the start itself has to ask again.
        """
        _refuse_several(key, deployment_id, model_id)
        if key is not None:
            newest = self._newest.get(key) or self.ask_for_newest(key)
            if newest is None:
                raise UnknownDeployment(key, key=True)
            return self.definitions.get(newest)
        if deployment_id is not None:
            return self.definitions.get(deployment_id)
        assert model_id is not None
        return self._snapshot(self.model_row(model_id))

    def to_show(self, *, key: str | None, deployment_id: str | None, model_id: str | None) -> Definition:
        """The same for whoever only looks at what a start would ask for: of a model nothing is kept."""
        _refuse_several(key, deployment_id, model_id)
        if key is not None and self.ask_for_newest(key) is None:
            raise UnknownDeployment(key, key=True)
        if model_id is not None:
            model = self.model_row(model_id)
            return self.definitions.made_of(self._deployment_row(model, model.key, "", 0))
        if deployment_id is not None:
            return self.definitions.get(self.row_in_use(deployment_id).id)
        return self.to_start(key=key, deployment_id=deployment_id, model_id=model_id)

    def ask_for_newest(self, key: str) -> str | None:
        """The newest deployment of a key, which other engines may have added or removed just now."""
        newest = self.store.catalogue.newest_deployment_id(key)
        if newest is None:
            self._newest.pop(key, None)
        else:
            self._newest[key] = newest
        return newest

    def _snapshot(self, model: ModelRow) -> Definition:
        """The model as it now stands, kept unnumbered, so that a trial run goes on after the model is edited."""
        sources = unpack(model.sources)
        digest = digest_of(sources, model.parameter_template, model.outputs_template)
        row = self.store.catalogue.deployment_of_digest(model.key, digest, numbered=False)
        if row is None or row.model_id != model.id:
            row = self._deployment_row(
                model,
                model.key,
                digest_of([*sources, model.id.encode()], model.parameter_template, model.outputs_template),
                0,
            )
            known = self.store.catalogue.deployment_of_digest(model.key, row.digest, numbered=False)
            if known is not None:
                return self.definitions.get(known.id)
            try:
                self.store.catalogue.add_deployment(row, ())
            except AlreadyUsed:
                # Another trial run of the same model came first at this moment, and its snapshot is as good.
                row = self.store.catalogue.deployment_of_digest(model.key, row.digest, numbered=False) or row
        return self.definitions.get(row.id)


def _refuse_several(key: str | None, deployment_id: str | None, model_id: str | None) -> None:
    """Raise Malformed unless exactly one says what is to be started."""
    given = {
        name: value
        for name, value in (("modelId", model_id), ("deploymentId", deployment_id), ("key", key))
        if value is not None
    }
    if len(given) != 1:
        text = "Give exactly one of model_id, deployment_id and key" + (
            f", not {' and '.join(given)}." if given else "."
        )
        raise Malformed(
            text,
            code="start-ids",
            errors={name: ["Give exactly one of the three."] for name in given or ("modelId", "deploymentId", "key")},
        )


def _options(on_failure: str | None, undo_on_compensation: bool) -> Options:
    """What is asked for, as it is stored; raises Invalid."""
    if on_failure is not None:
        asked_policy(on_failure)
        on_failure = " ".join(on_failure.split())
    return Options(on_failure, undo_on_compensation)


def _tags(parsed: ParsedModels, key: str, forms: Mapping[str, str | None]) -> list[Tag]:
    """The version tags of the process of this key, and of the decisions and forms found by it; raises Invalid."""
    found: list[tuple[TagKind, str, str | None]] = [("form", name, tag) for name, tag in forms.items()]
    if key in parsed.processes:
        found.append(("process", key, parsed.processes[key].version_tag))
    if parsed.decisions is not None and key == parsed.key:
        found += [("decision", each.id, each.version_tag) for each in parsed.decisions.evaluable]
    if long := next((tag for _, _, tag in found if tag and len(tag) > LONGEST_TAG), None):
        text = f"The version tag {long[:80]!r} has over {LONGEST_TAG} characters: make it shorter."
        raise Invalid(text, code="version-tag")
    return [(kind, name, tag) for kind, name, tag in found if tag]
