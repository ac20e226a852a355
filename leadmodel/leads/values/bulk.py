"""Read many texts as numbers with units at once."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadmodel.arrays import Bools, Floats, Ints
from leadmodel.leads.values.numbers import Quantity, convert, read_quantity
from leadmodel.leads.values.units import Unit

__all__ = ["Quantities", "read_quantities"]

_PARTS = r"^(?P<before>[^0-9.,]*)(?P<number>[0-9][0-9.,]*|\.[0-9]+)(?P<after>[^0-9.,][^0-9]*|)$"
_NUMBER = r"^([1-9][0-9]{0,2}(,[0-9]{3})+|[1-9][0-9]*|0|)(\.[0-9]+)?$"

UNREAD = -1


@dataclass(frozen=True, eq=False)
class Quantities:
    """Hold texts as numbers.

    Attributes
    ----------
    numbers : array of shape (n_texts,)
        Each in the unit of its form, NaN if the text is no number.
    codes : array of shape (n_texts,)
        Position of each text's form in `forms`, `UNREAD` if the text is no number.
    forms : list of Quantity
        How the texts are written, each with the number 1.
    """

    numbers: Floats
    codes: Ints
    forms: list[Quantity]

    @property
    def is_read(self) -> Bools:
        """Which texts are numbers."""
        return self.codes != UNREAD

    def convert(self, unit: Unit | None) -> Floats:
        """Return the numbers in one unit, NaN for those that cannot be converted to it."""
        factors = [convert(form, unit) for form in self.forms]
        found = np.array([*(np.nan if factor is None else factor for factor in factors), np.nan])
        return np.asarray(self.numbers * found[self.codes], dtype=np.float64)

    def count_forms(self, counts: Ints) -> list[int]:
        """Return the number of leads by form, of `counts` by text."""
        by_form = np.bincount(self.codes[self.is_read], counts[self.is_read], len(self.forms))
        return by_form.astype(int).tolist()


def read_quantities(texts: pa.Array, decimal_comma: bool) -> Quantities:
    """Read texts as `read_quantity` does, those of one number in a few steps for all of them.

    What stands before and after the numbers of a column are few texts. A number is as many times the
    quantity of the same text with the number 1.
    """
    numbers, codes = np.full(len(texts), np.nan), np.full(len(texts), UNREAD, dtype=np.int64)
    position_of: dict[Quantity, int] = {}

    def code_of(form: Quantity) -> int:
        return position_of.setdefault(form._replace(number=1.0), len(position_of))

    parts = pc.extract_regex(texts, _PARTS)
    before, number, after = (pc.struct_field(parts, name) for name in ("before", "number", "after"))
    marked = number
    if decimal_comma:
        # The marks change places, in a way that no text can spoil.
        marked = pc.replace_substring(pc.replace_substring(number, ".", "#"), ",", ".")
        marked = pc.replace_substring(marked, "#", ",")
    is_simple = pc.fill_null(pc.match_substring_regex(marked, _NUMBER), False).to_numpy(
        zero_copy_only=False
    )
    places, others = np.flatnonzero(is_simple), np.flatnonzero(~is_simple)
    plain = pc.replace_substring(marked.take(pa.array(places)), ",", "").cast(pa.float64())
    affixes = pc.binary_join_element_wise(before, after, "1").take(pa.array(places)).dictionary_encode()
    affix_of = affixes.indices.to_numpy(zero_copy_only=False)
    forms = [read_quantity(text) for text in affixes.dictionary.to_pylist()]
    factors = np.array([np.nan if form is None else form.number for form in forms])
    positions = np.array([UNREAD if form is None else code_of(form) for form in forms], dtype=np.int64)
    if len(places):
        numbers[places] = plain.to_numpy(zero_copy_only=False) * factors[affix_of]
        codes[places] = positions[affix_of]
    for place, text in zip(others.tolist(), texts.take(pa.array(others)).to_pylist(), strict=True):
        quantity = read_quantity(text, decimal_comma)
        if quantity is not None:
            numbers[place], codes[place] = quantity.number, code_of(quantity)
    return Quantities(numbers, codes, list(position_of))
