import numpy as np
from scipy.stats import chi2_contingency

from leadmodel.leads.derived.message import ALPHA, choose_words, propose, read_length, read_word
from leadmodel.leads.derived.record import Column, Derived

WORD = Derived(source="m", label="M", how="text word", argument="price")


def column(texts: list[str], converted: list[int]) -> Column:
    return Column("m", "M", texts, [1] * len(texts), converted)


def messages(n: int, rng: np.random.Generator, vocabulary: list[str]) -> list[str]:
    return [" ".join(["Hello", *rng.choice(vocabulary, 6), f"n{number}"]) for number in range(n)]


def test_a_word_is_found_as_a_whole_in_any_case() -> None:
    assert read_word("The PRICE, please", WORD) == "present"
    assert read_word("priceless prices", WORD) == "absent"
    assert read_length("What does it cost?", WORD) == 4


def test_words_are_chosen_by_chi_square_with_their_number_in_mind() -> None:
    rng = np.random.default_rng(0)
    vocabulary = ["price", *(f"word{chr(97 + n)}" for n in range(20))]
    texts = messages(800, rng, vocabulary)
    has = np.array(["price" in text.split() for text in texts])
    y = (rng.random(800) < np.where(has, 0.6, 0.3)).astype(int)
    assert choose_words(column(texts, y.tolist())) == ["price"]
    table = [[(y[has == one] == other).sum() for other in (0, 1)] for one in (False, True)]
    assert chi2_contingency(table, correction=False).pvalue < ALPHA / len(vocabulary)


def test_words_of_pure_chance_are_not_chosen() -> None:
    vocabulary = [f"word{chr(97 + n)}{chr(97 + m)}" for n in range(10) for m in range(10)]
    for seed in range(10):
        rng = np.random.default_rng(seed)
        texts = messages(500, rng, vocabulary)
        assert choose_words(column(texts, rng.integers(0, 2, 500).tolist())) == []


def test_names_and_rare_words_are_never_chosen() -> None:
    texts = [
        f"Please call Miller now about item {n}" if n < 50 else f"please call me now, {n}"
        for n in range(100)
    ]
    y = [1] * 50 + [0] * 50
    assert choose_words(column(texts, y)) == ["about", "item"]
    assert choose_words(column(texts, y), {"item"}) == ["about"]
    rare = [f"please say xenon {n}" if n < 4 else f"please say it {n}" for n in range(60)]
    assert choose_words(column(rare, [1] * 4 + [0] * 56)) == []


def test_only_columns_of_messages_are_proposed() -> None:
    texts = [f"we would like to know more of {n}" for n in range(60)]
    assert [one.suffix for one in propose(column(texts, [0, 1] * 30))] == ["length"]
    assert propose(column([f"Ann Lee {n}" for n in range(60)], [0, 1] * 30)) == []
