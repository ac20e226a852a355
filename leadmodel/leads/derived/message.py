"""Derive the length of a message, and whether it has a word that goes along with the outcome."""

import re
from collections import Counter
from collections.abc import Collection, Iterator

import numpy as np
from scipy.stats import chi2

from leadmodel.leads.derived.record import Column, Derived, Proposal
from leadmodel.leads.derived.words import words_of
from leadmodel.leads.field import MIN_CATEGORY_COUNT

__all__ = ["ABSENT", "PRESENT", "choose_words", "propose", "read_length", "read_word"]

PRESENT, ABSENT = "present", "absent"

MAX_WORDS = 5
"""Most words of a column; each is a field of the form's explanation, which people read."""

ALPHA = 0.01
"""Chance that any word is chosen where none tells anything. Small, because the words are chosen by all
training leads, those of the folds on which their gain is measured as well."""

MIN_WORDS = 4
"""Mean number of words below which texts are names or titles rather than messages."""

_SPELLED = re.compile(r"[^\W\d_]{3,20}")


def propose(column: Column, private: Collection[str] = ()) -> list[Proposal]:
    """Propose length and words if the column holds messages.

    Parameters
    ----------
    column : Column
        The raw column.
    private : collection of str
        Words of names and mail addresses, which are never chosen.
    """
    if len(column.texts) < 50 or np.mean([len(words_of(text)) for text in column.texts]) < MIN_WORDS:
        return []
    name, label = column.name, column.label
    proposals = [
        Proposal(
            "length",
            f"{label} length",
            Derived(source=name, label=label, how="text length"),
            {"unit": "words"},
        )
    ]
    for word in choose_words(column, private):
        derived = Derived(source=name, label=label, how="text word", argument=word)
        proposals.append(Proposal(f"word {word}", f"Word “{word}” in {label}", derived))
    return proposals


def choose_words(column: Column, private: Collection[str] = ()) -> list[str]:
    """Choose the words that go along with the outcome, by a chi-square test with Bonferroni's correction.

    A word is a candidate if at least five leads have it, and as many lack it; if it is no part of a name
    or mail address in the table; and if most leads write it without a capital, which nobody does with
    names. Nouns of a German message are lost by the last rule.
    """
    leads, converted, small = Counter[str](), Counter[str](), Counter[str]()
    for text, count, n_converted in zip(column.texts, column.counts, column.converted, strict=True):
        spelled = set(_SPELLED.findall(text))
        for word in {one.casefold() for one in spelled}:
            leads[word] += count
            converted[word] += n_converted
            small[word] += count * (word in spelled)
    n_leads, n_converted = sum(column.counts), sum(column.converted)
    words = [
        word
        for word, count in leads.items()
        if MIN_CATEGORY_COUNT <= count <= n_leads - MIN_CATEGORY_COUNT
        and 2 * small[word] > count
        and word not in private
    ]
    if not words or not 0 < n_converted < n_leads:
        return []
    n_having = np.array([leads[word] for word in words], dtype=np.float64)
    rate = n_converted / n_leads
    # Pearson's statistic of the table of two rows and two columns.
    excess = np.array([converted[word] for word in words]) - rate * n_having
    statistic = excess**2 / (n_having * (1 - n_having / n_leads) * rate * (1 - rate))
    limit = chi2.isf(ALPHA / len(words), 1)
    # By the word where equal, so that the order of the leads does not decide.
    order = sorted(range(len(words)), key=lambda place: (-statistic[place], words[place]))
    return [words[place] for place in order[:MAX_WORDS] if statistic[place] > limit]


def read_length(text: str, derived: Derived) -> float:
    """Return the number of words of a text."""
    return float(len(words_of(text)))


def read_word(text: str, derived: Derived) -> str:
    """Return whether a text has a word."""
    return PRESENT if derived.argument in _words(text) else ABSENT


def _words(text: str) -> Iterator[str]:
    return (found.casefold() for found in _SPELLED.findall(text))
