"""What a person may fill in: whether a value fits its field, and what is taken of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from ....clock import read_moment
from ....errors import ExpressionWork, RiverstoneError
from ....jsontext import JSON, dumps
from ....language.context import Context
from ....language.numerals import read_number
from ....views.people import DateKind, FormKind
from .form import MISSING, Component, ComponentState, Form, default_of, existing, get, put

Errors = dict[str, list[str]]
REQUIRED = "Is required."
_MOST = 10**100
"""What has more digits is no whole number of a form."""
_FORMS: dict[DateKind, tuple[re.Pattern[str], Callable[[str], object], str]] = {
    "date": (re.compile(r"\d{4}-\d\d-\d\d"), date.fromisoformat, "a date such as 2026-01-31"),
    "time": (
        # CPython reads the hour 24 since 3.14: see read_moment.
        re.compile(r"(?!24)\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?"),
        time.fromisoformat,
        "a time such as 14:30",
    ),
    "datetime": (
        re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?"),
        read_moment,
        "a date and time such as 2026-01-31T14:30",
    ),
}
_JAVA = re.compile(r"(\d\d)/(\d\d)/(\d{4})")


SIMPLE_FORMS = {
    "email": (r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "Must be an address such as ann@example.com."),
    "phone": (r"^\+?[0-9][0-9 ()./-]{2,40}$", "Must be a phone number such as +49 30 123456."),
}
"""Forms of texts that have a name: the pattern, and what is said of what does not fit it."""


class Misfit(ValueError):
    """A value is none of its field; the text says why."""


def filled_in(form: Form, context: Context, answer: Mapping[str, JSON], now: int) -> tuple[dict[str, JSON], Errors]:
    """What is taken of an answer, by variable, and what is wrong with it, by key.

    Values are those of the fields' types afterwards. What is not given stays as it is, or becomes the default. Raises
    ExpressionWork.
    """
    errors: Errors = {}
    given: dict[str, JSON] = {}
    for each in form.fields:
        value = get(answer, each.path)
        if value is MISSING:
            continue
        try:
            given[each.id] = typed(each, value)
        except Misfit as misfit:
            errors[each.key] = [str(misfit)]
    values = form.present(context)
    for each in form.fields:
        if each.id in given:
            put(values, each.path, given[each.id])
    taken: dict[str, JSON] = {}
    for part in form.look(context, values):
        each = part.component
        if not each.path or each.key in errors:
            continue
        texts = _wrong(part, given.get(each.id, MISSING), context, now)
        if texts:
            errors[each.key] = texts
        elif not part.hidden:
            _take(each, given.get(each.id, MISSING), context, taken)
    return taken, errors


def _take(each: Component, value: Any, context: Context, taken: dict[str, JSON]) -> None:
    """Add a value to what is taken, within the variable that holds it."""
    if value is MISSING:
        value = MISSING if existing(each, context) is not MISSING else default_of(each, context)
        if value is MISSING:
            return
    name = each.path[0]
    if len(each.path) > 1 and name not in taken:
        before = context.find((name,))
        taken[name] = dict(before) if isinstance(before, dict) else {}
    put(taken, each.path, value)


def _wrong(part: ComponentState, value: Any, context: Context, now: int) -> list[str]:
    """What is wrong with the value of a field as it stands."""
    each = part.component
    if value is MISSING:
        missing = each.required and not (part.hidden or part.readonly)
        if missing and is_empty(existing(each, context)) and default_of(each, context) is MISSING:
            return [REQUIRED]
        return []
    before = existing(each, context)
    if part.hidden:
        return [] if value is None or value == before else ["Is not asked for with these values: leave it out."]
    if part.readonly:
        return [] if value == before or (value is None and before is MISSING) else ["Is only shown: leave it out."]
    if is_empty(value) or (each.required and each.kind == "checkbox" and value is False):
        return [REQUIRED] if each.required else []
    return list(_breaches(part, value, now))


def is_empty(value: Any) -> bool:
    """Whether there is nothing."""
    return value is MISSING or value is None or value == [] or (isinstance(value, str) and not value.strip())


def typed(each: Component, value: JSON) -> JSON:
    """A value as it is kept; raises Misfit for one that is none of the kind."""
    if value is None:
        return None
    kind: FormKind = each.kind
    if kind == "checkbox":
        return _truth(value)
    if kind == "number":
        return _number(each, value)
    if kind == "checklist":
        if not isinstance(value, list):
            raise Misfit("Must be a list.")
        return value
    if kind in ("select", "radio"):
        offers_truth = any(option is True for option, _ in each.options)
        return value == "true" if offers_truth and value in ("true", "false") else value
    if not isinstance(value, str):
        raise Misfit("Must be a text.")
    if kind == "datetime" and value:
        _refuse_no_date(each, value)
    return value


def _truth(value: JSON) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip() in ("true", "false"):
        return value.strip() == "true"
    raise Misfit("Must be true or false.")


def _number(each: Component, value: JSON) -> JSON:
    text = value.strip() if isinstance(value, str) else ""
    if text == "" and isinstance(value, str):
        return None
    what = "Must be a whole number." if each.whole else "Must be a number."
    number = read_number(text) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise Misfit(what)
    if isinstance(number, int) and abs(number) >= _MOST:
        # The same as of a text, whatever JSON may hold here.
        raise Misfit(what)
    if each.whole and isinstance(number, float):
        # A text with a point that is whole has been read as that, and what is larger has more digits than may be.
        if isinstance(value, str) or not number.is_integer() or abs(number) >= _MOST:
            raise Misfit(what)
        number = int(number)
    if not each.as_text:
        return number
    return text or dumps(number)


def _refuse_no_date(each: Component, text: str) -> None:
    form, read, what = _FORMS[each.date]
    if each.loose and (java := _JAVA.fullmatch(text)):
        form, text = _FORMS["date"][0], f"{java[3]}-{java[2]}-{java[1]}"
    elif each.loose and _FORMS["datetime"][0].fullmatch(text):
        form, read, _ = _FORMS["datetime"]
    try:
        if not form.fullmatch(text):
            raise ValueError(text)
        read(text)
    except ValueError:
        raise Misfit(f"Must be {what}.") from None


def _breaches(part: ComponentState, value: JSON, now: int) -> Iterator[str]:
    """What else a value of the right kind breaks."""
    each = part.component
    if each.kind in ("select", "radio", "checklist") and not each.suggests:
        yield from _not_among(part, value)
    if isinstance(value, str) and each.kind in ("textfield", "textarea"):
        yield from _text_breaches(part, value)
    if each.kind == "number":
        yield from _number_breaches(part, read_number(value) if isinstance(value, str) else value)
    if each.kind == "datetime" and each.no_past and isinstance(value, str) and _is_past(each, value, now):
        yield "Must not be in the past."


def _not_among(part: ComponentState, value: JSON) -> Iterator[str]:
    known = [option for option, _ in part.options]
    chosen = value if isinstance(value, list) and part.component.kind == "checklist" else [value]
    if any(all(not _same(each, option) for option in known) for each in chosen):
        listed = (
            ", ".join(each if isinstance(each, str) else dumps(each) for each in known[:20])
            or "nothing: there is no choice at present"
        )
        yield f"Must be one of {listed}." if part.component.kind != "checklist" else f"May hold {listed}."
    elif part.component.kind == "checklist" and len({dumps(each) for each in chosen}) < len(chosen):
        yield "Holds something twice."


def _same(one: JSON, two: JSON) -> bool:
    return one == two and isinstance(one, bool) == isinstance(two, bool)


def _text_breaches(part: ComponentState, value: str) -> Iterator[str]:
    each, limits = part.component, part.limits
    least, most = bound(limits, "minLength"), bound(limits, "maxLength")
    if least is not None and len(value) < least:
        yield f"Must have at least {_shown(least)} characters."
    if most is not None and len(value) > most:
        yield f"Must have at most {_shown(most)} characters."
        # To seek a pattern in what is too long would be work for nothing.
        return
    if each.pattern is not None:
        try:
            fits = each.pattern.find(value) is not None
        except ExpressionWork:
            raise
        except RiverstoneError:
            fits = False
        if not fits:
            yield each.fault or "Does not have the form that is asked for."


def _number_breaches(part: ComponentState, value: Any) -> Iterator[str]:
    each, limits = part.component, part.limits
    least, most = bound(limits, "min"), bound(limits, "max")
    if least is not None and value < least:
        yield f"Must be at least {_shown(least)}."
    if most is not None and value > most:
        yield f"Must be at most {_shown(most)}."
    if each.decimals is not None and isinstance(value, float) and round(value, each.decimals) != value:
        yield f"Must have at most {each.decimals} decimals." if each.decimals else "Must be a whole number."


def bound(limits: Mapping[str, JSON], name: str) -> float | None:
    """A limit of a field, if it is a number."""
    found = limits.get(name)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def _shown(limit: float) -> str:
    """A limit with all of its digits, and without a point where there is nothing behind it."""
    return dumps(int(limit) if abs(limit) < _MOST and limit == int(limit) else limit)


def _is_past(each: Component, value: str, now: int) -> bool:
    here = datetime.fromtimestamp(now / 1000, UTC).astimezone()
    if each.date == "date":
        return date.fromisoformat(value[:10]) < here.date() if _FORMS["date"][0].fullmatch(value[:10]) else False
    if each.date == "datetime":
        given, minute = read_moment(value), here.replace(second=0, microsecond=0)
        # Without an offset it is a time here, and those at the ends of the calendar have no equal in another zone.
        return given < (minute if given.tzinfo is not None else minute.replace(tzinfo=None))
    return False
