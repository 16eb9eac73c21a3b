"""Forms that are drawn in the model itself: which answers a person's task takes."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from ..elements.form_field import FormField
from .vendors import JAVA, extensions
from .words import local_name


def read_form(element: etree._Element) -> Mapping[str, FormField]:
    """The fields of ``formData`` and ``formProperty`` that a person may write, by name; none where there is no form."""
    found = [field for form in extensions(element, "formData") for field in form.iterchildren("*")]
    found = [field for field in found if local_name(field) == "formField"] + list(extensions(element, "formProperty"))
    fields: dict[str, FormField] = {}
    for field in found:
        # What is only shown is no answer, and a property may be kept under another name.
        name = field.get("variable") or field.get("id")
        if name and field.get("writable") != "false" and field.get("writeable") != "false":
            choices = [child.get("id", "") for child in field.iterchildren("*", *(f"{{{each}}}value" for each in JAVA))]
            choices = [each for each in choices if each] if field.get("type") == "enum" else []
            fields[name] = FormField(field.get("type", "string"), tuple(choices))
    return fields
