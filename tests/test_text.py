"""Texts that differ only in how they are typed."""

import pytest

from leadmodel.text import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yes", " YES "),
        ("Closed Won", "closed\u00a0 won"),
        ("Ｙｅｓ", "yes"),
        ("Caf\u00e9", "CAFE\u0301"),
        ("Straße", "STRASSE"),
    ],
)
def test_fold_unites_spellings(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_fold_keeps_accents_and_marks_apart() -> None:
    assert len({fold(text) for text in ("resume", "résumé", "A-1", "A 1", "A1", "10", "1.0")}) == 7
