"""Secrets are hidden wherever they turn up, however many there are."""

from __future__ import annotations

import html
import json
import re
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from riverstone.engine import mask
from riverstone.engine.mask import MASKED, Mask

SECRETS = st.sets(st.text('ab"', min_size=4, max_size=7), min_size=1, max_size=30)


@given(SECRETS, st.text('ab"', max_size=60))
def test_many_secrets_are_hidden_as_few_are(secrets: set[str], text: str) -> None:
    """The longest at the first place where there is one, then on behind it."""
    assert mask._ManySecrets(secrets).hidden(text) == mask._FewSecrets(secrets).hidden(text)


@pytest.mark.parametrize("count", [1, 500, 20_000])
def test_no_number_of_secrets_shows_one(count: int) -> None:
    secrets = [f"secret-{number:05}" for number in range(count)]
    shown = Mask((), [*secrets, secrets[0]]).mask_text(f"a {secrets[0]} and {secrets[-1]} b")

    assert not any(secret in shown for secret in (secrets[0], secrets[-1]))
    assert MASKED in shown


def test_a_secret_that_comes_often_hides_the_others_too() -> None:
    assert Mask((), ["often"] * 10_000 + ["seldom"]).mask_text("seldom") == MASKED


WRITTEN: dict[str, Callable[[str], str]] = {
    "in a path": quote,
    "in a query": partial(quote, safe=""),
    "in a form": quote_plus,
    "in lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in Python": lambda text: repr(text)[1:-1],
    "in HTML": html.escape,
    "in a text of XML": partial(html.escape, quote=False),
    "in an attribute of XML": lambda text: quoteattr(text, {"'": "&apos;", '"': "&quot;"})[1:-1],
    "by lxml": lambda text: str(etree.tostring(etree.Element("x", a=text), encoding=str))[6:-3],
}


@pytest.mark.parametrize("secret", ["s3cr/t pass", "a'b\"c<d>&e+", "plain-secret_1", "schlüssel=1"])
@pytest.mark.parametrize("form", WRITTEN)
def test_a_secret_is_hidden_however_it_is_written(form: str, secret: str) -> None:
    """RFC 3986, 2.1; HTML 5, 4.10.21.7 (forms); XML 1.0, 2.4."""
    shown = Mask((), [secret]).mask_text(f"?pw={WRITTEN[form](secret)}&x=1")

    assert shown == f"?pw={MASKED}&x=1"


@given(
    st.text(st.characters(codec="utf-8"), min_size=8, max_size=20),
    st.binary(max_size=6),
    st.binary(max_size=6),
    st.booleans(),
)
def test_a_secret_is_hidden_in_what_base64_makes_of_it(secret: str, before: bytes, after: bytes, safe: bool) -> None:
    """RFC 4648, 4 and 5: nothing that is left has more than a sign's bits of it."""
    coded = (urlsafe_b64encode if safe else b64encode)(before + secret.encode() + after).decode()
    left = Mask((), [secret]).mask_text(f"Basic {coded}.").removeprefix("Basic ").removesuffix(".")

    assert MASKED in left
    shown = len(left.replace(MASKED, "").rstrip("=")) * 6
    assert shown <= (len(before) + len(after)) * 8 + 12


def test_a_secret_alone_in_base64_is_hidden_whole() -> None:
    for secret in ("password", "password1", "password12"):
        assert Mask((), [secret]).mask_text(b64encode(secret.encode()).decode()) == MASKED


class _GoneThrough(set[str]):
    """Has somebody else look at the same texts whenever they are gone through."""

    def __init__(self, texts: set[str], look: Callable[[], str]) -> None:
        super().__init__(texts)
        self._look = look
        self.is_looked_at = False
        self.seen: list[str] = []

    def __iter__(self) -> Iterator[str]:
        if not self.is_looked_at:
            self.is_looked_at = True
            # The first look goes through them itself, which would leave nothing for whoever was there before.
            self.seen += [self._look()] if self.seen else [MASKED]
            self.is_looked_at = False
        return super().__iter__()


def test_a_secret_that_was_cut_is_hidden_from_two_who_look_at_once() -> None:
    forms = _GoneThrough({"secret-of-ann"}, lambda: finder.hidden_beginnings("it is secret-of…"))
    finder = mask._ManySecrets({"secret-of-ann"})
    finder._forms = forms

    forms.seen.append(finder.hidden_beginnings("it is secret-of…"))

    assert {text.removeprefix("it is ") for text in forms.seen} == {MASKED, f"{MASKED}…"}


def test_a_long_secret_is_sought_without_a_pattern_of_its_length() -> None:
    """To compile a regular expression calls Python for each sign of it."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        found = Mask((), ["ab" * 50_000])
    finally:
        sys.setprofile(None)

    assert found.mask_text(f"it is {'ab' * 50_000}") == f"it is {MASKED}"
    assert calls < 1000
