"""Decide which values of the outcome column mean converted, lost and open leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import Field as PydanticField

from leadmodel.errors import InputError, quoted
from leadmodel.leads.outcome.words import Meaning, meaning_of
from leadmodel.records import Record
from leadmodel.text import fold

__all__ = ["OPEN", "UNCLEAR", "OutcomeRule", "Value", "find_rule", "key_of"]

OPEN, UNCLEAR = -1, -2
"""Codes of leads without an outcome: not decided yet, or with a value of unknown meaning."""

MAX_LISTED, MAX_ASKED = 12, 50
"""Values that a message names, and of those that it asks for."""


class OutcomeRule(Record):
    """Say what the values of an outcome column mean.

    Parameters
    ----------
    positive, negative, open : tuple of str
        Values of converted leads, of lost ones, and of those that are not decided yet.
    others : bool
        Whether any other value means a lost lead; else its usual meaning counts.
    filled : bool
        Whether any value means a converted lead, such as a date of conversion, and none an open one.
    """

    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    others: bool = False
    filled: bool = PydanticField(default=False, exclude_if=lambda filled: not filled)

    @property
    def label(self) -> str:
        """The values of converted leads in words."""
        return " or ".join(self.positive)

    @property
    def given(self) -> dict[str, int]:
        """Code of each value that the rule names, by its key: 1, 0 or OPEN."""
        codes = {1: self.positive, 0: self.negative, OPEN: self.open}
        return {key_of(name): code for code, names in codes.items() for name in names}

    def codes(self, names: Sequence[str]) -> list[int]:
        """Return 1 for each value of converted leads, 0 for lost ones, OPEN or UNCLEAR."""
        if self.filled:
            return [1] * len(names)
        given, usual = self.given, self._usual()

        def code(name: str) -> int:
            rest = 0 if self.others else usual.get(meaning_of(name), UNCLEAR)
            return given.get(key_of(name), rest)

        return [code(name) for name in names]

    def _usual(self) -> dict[Meaning | None, int]:
        positive = {meaning_of(name) for name in self.positive}
        if positive == {"lost"}:
            # A model of who leaves: the opposite is to stay, and not another word for leaving.
            return {"won": 0, "open": OPEN}
        # "Qualified" is a stage on the way, unless it is what the model is about.
        stage = UNCLEAR if positive == {"may be won"} else OPEN
        return {"lost": 0, "open": OPEN, "may be won": stage}


@dataclass(frozen=True)
class Value:
    """A value of an outcome column: key, most frequent spelling, number of leads, other spellings."""

    key: str
    name: str
    count: int
    variants: tuple[str, ...] = ()


def key_of(value: str) -> str:
    """Return what all spellings of a value share; whole numbers may have decimals.

    >>> key_of(" WON"), key_of("1.0"), key_of("0,00")
    ('won', '1', '0')
    """
    key = fold(value)
    number, point, decimals = key.replace(",", ".").partition(".")
    return number if point and number.isdecimal() and decimals in ("0", "00") else key


def find_rule(
    column: str,
    values: Sequence[Value],
    given: OutcomeRule,
    *,
    complete: bool = True,
    needs_lost: bool = True,
) -> OutcomeRule:
    """Return what each value of an outcome column means: what is given, else what it usually means.

    Parameters
    ----------
    column : str
        Name of the column.
    values : sequence of Value
        Its values, the most frequent first.
    given : OutcomeRule
        What is known already.
    complete : bool
        Whether these are all values, so that what is given must occur.
    needs_lost : bool
        Whether some must mean lost leads; a horizon makes do with open ones.

    Raises
    ------
    InputError
        If there is only one value, one that is given does not occur, or it is not clear what they mean.
    """
    if given.filled:
        return OutcomeRule(positive=("filled in",), filled=True)
    if complete:
        _check_values(column, values, given, 2 if needs_lost else 1)
    by_key = {value.key: value.name for value in values}

    def spelled(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(by_key.get(key_of(name), name) for name in names))

    given = OutcomeRule(
        positive=spelled(given.positive), negative=spelled(given.negative), open=spelled(given.open)
    )
    if len(values) == 2 and not given.negative and not given.open:
        # Two values are the two outcomes, whatever they are called.
        positive = given.positive or tuple(_obvious(values))
        negative = tuple(value.name for value in values if value.name not in positive)
        if len(positive) == 1 == len(negative):
            return OutcomeRule(positive=positive, negative=negative)
    named = given.given
    rest = [value.name for value in values if value.key not in named]
    meanings = {name: meaning_of(name) for name in rest}
    positive = given.positive or _find_positive(column, values, meanings)
    rule = given.model_copy(update={"positive": positive})
    codes = dict(zip(rest, rule.codes(rest), strict=True))
    unclear = [name for name, code in codes.items() if code == UNCLEAR]
    if given.positive and given.negative and "won" not in meanings.values():
        unclear = []  # all outcomes are named: whatever is neither stays out
    if unclear and given.positive and len(unclear) == len(rest) and "won" not in meanings.values():
        return rule.model_copy(update={"others": True})
    negative = (*given.negative, *(name for name, code in codes.items() if code == 0))
    is_open = (*given.open, *(name for name, code in codes.items() if code == OPEN))
    rule = OutcomeRule(positive=positive, negative=negative, open=is_open)
    if unclear:
        _ask_meaning(column, values, rule, unclear)
    if complete and needs_lost and not negative:
        raise InputError(
            f"No value of {column!r} means a lost lead: {_list(values)}. Name one with --negative."
        )
    return rule


def _obvious(values: Sequence[Value]) -> list[str]:
    """Return which of two values mean converted, if their words say so."""
    meanings = {value.name: meaning_of(value.name) for value in values}
    for meaning in ("won", "may be won"):
        if found := [name for name, one in meanings.items() if one == meaning or _is_true(name, values)]:
            return found
    return []


def _is_true(name: str, values: Sequence[Value]) -> bool:
    """Return whether a letter or digit stands for yes beside the other one."""
    keys = {value.key for value in values}
    no = {"n": ("j", "o", "s", "v"), "f": ("t", "v")}
    return key_of(name) in ("1", "y", *(yes for key in keys for yes in no.get(key, ())))


def _find_positive(
    column: str, values: Sequence[Value], meanings: dict[str, Meaning | None]
) -> tuple[str, ...]:
    found = tuple(name for name, meaning in meanings.items() if meaning == "won")
    # "Qualified" is won where nothing says so more clearly, else a stage on the way.
    found = found or tuple(name for name, meaning in meanings.items() if meaning == "may be won")
    if not found and len(meanings) == 1:
        found = tuple(meanings)
    if not found or (len(values) > 2 and len(meanings) == len(values) and "lost" not in meanings.values()):
        raise InputError(
            f"Which value of {column!r} means a converted lead: {_list(values)}? Name it with --positive."
        )
    return found


def _check_values(column: str, values: Sequence[Value], given: OutcomeRule, at_least: int) -> None:
    if len(values) < at_least:
        only = quoted(values[0].name) if values else "nothing"
        raise InputError(f"The target {column!r} must have two outcomes. It has only {only}.")
    keys = {value.key: value.name for value in values}
    if given.positive and not any(key_of(name) in keys for name in given.positive):
        raise InputError(
            f"The positive label {quoted(given.positive[0])} is not a value of {column!r}: {_list(values)}."
        )
    for option in ("positive", "negative", "open"):
        for name in getattr(given, option):
            # A usual word may be missing today and back tomorrow; another that nearly occurs is misspelt.
            is_usual = key_of(name) in keys or meaning_of(name)
            if not is_usual and (close := get_close_matches(key_of(name), keys, 1, 0.75)):
                raise InputError(
                    f"{quoted(name)} (--{option}) is not a value of {column!r}. Did you mean "
                    f"{quoted(keys[close[0]])}?"
                )
    meanings = [set(map(key_of, names)) for names in (given.positive, given.negative, given.open)]
    if len(set[str]().union(*meanings)) < sum(map(len, meanings)):
        raise InputError(f"A value of {column!r} can have one meaning only. One is given two.")


def _ask_meaning(column: str, values: Sequence[Value], rule: OutcomeRule, unclear: Sequence[str]) -> None:
    taken = {"converted": rule.positive, "lost": rule.negative, "open": rule.open}

    def listed(names: Sequence[str], at_most: int = MAX_LISTED) -> str:
        return _list([value for value in values if value.name in names], at_most)

    known = "; ".join(f"{word}: {listed(names)}" for word, names in taken.items() if names)
    raise InputError(
        f"What do these values of {column!r} mean: {listed(unclear, MAX_ASKED)}? Name each with "
        f"--positive (converted), --negative (lost) or --open (left out); options can be repeated. The "
        f"others are understood: {known}."
    )


def _list(values: Sequence[Value], at_most: int = MAX_LISTED) -> str:
    shown = ", ".join(f"{quoted(value.name, 30)} ({value.count:,})" for value in values[:at_most])
    return shown + (f" and {len(values) - at_most} others" if len(values) > at_most else "")
