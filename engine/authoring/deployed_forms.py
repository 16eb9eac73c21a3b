"""Forms of other deployments, which a model that shows one gets a copy of when it is saved or deployed."""

from __future__ import annotations

from ...models import Store
from ..bpmn.reading.people.form_files import FormLink, copied
from .sources import unpack


def find_form(store: Store, link: FormLink) -> bytes | None:
    """A copy of a form, of the newest deployment that holds it; a number means another version of that deployment."""
    found = store.catalogue.deployment_of_form(link.name, link.version)
    row = None if found is None else store.catalogue.deployment(found)
    return None if row is None else copied(unpack(row.sources), link)
