"""The engine's calls for other interfaces, which name versions of models by what is not their id."""

from __future__ import annotations

from ...models import Store
from ...models.catalogue import WantedVersion
from ..authoring.model_views import Deployment
from ..store_errors import engine_errors
from ..views.decisions import Decision


class VersionCalls:
    """Versions that are in use; each question is answered by an index, however many versions there are."""

    def __init__(self, store: Store) -> None:
        self._catalogue = store.catalogue

    def between(self, first: str, last: str) -> str | None:
        """The id of a version from ``first`` to ``last``, both of them included, as UUIDs are ordered."""
        with engine_errors():
            return self._catalogue.deployment_id_between(first, last)

    def numbered(self, key: str, version: int) -> str | None:
        """The id of one version of a key."""
        with engine_errors():
            return self._catalogue.deployment_id(key, WantedVersion(number=version))

    def decisions(self, of: Deployment) -> list[Decision]:
        """What can be evaluated of the newest version of a key; nothing of an older one."""
        with engine_errors():
            found = self._catalogue.decisions_in(of.key, of.deployment_id)
        return [
            Decision(decision_id=each, name=name, key=of.key, deployment_id=of.deployment_id, version=of.version)
            for each, name in found
        ]
