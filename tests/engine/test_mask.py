"""Secrets are hidden wherever they turn up, however many there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
