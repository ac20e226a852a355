import numpy as np
import pandas as pd
import pytest

from leadmodel.leads.infer import infer_schema
from leadmodel.leads.pii import personal_data
from leadmodel.leads.recipe import FieldConfig, Recipe

N = 200
RNG = np.random.default_rng(0)


def digits(n: int) -> str:
    return "".join(map(str, RNG.integers(0, 10, n)))


def letters(place: int) -> str:
    return chr(97 + place % 26) + chr(97 + place // 26)


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("contact", [f"l.{n}@example.org" for n in range(N)], "mail addresses"),
        ("contact", [f"+49 171 {digits(7)}" for _ in range(N)], "telephone numbers"),
        ("reach", [f"({digits(3)}) {digits(3)}-{digits(4)}" for _ in range(N)], "telephone numbers"),
        ("Mobile Number", [f"9{digits(9)}" for _ in range(N)], "telephone numbers"),
        ("phone", 9_000_000_000 + RNG.integers(0, 10**9, N), "telephone numbers"),
        ("phone", 9_000_000_000.0 + RNG.integers(0, 10**9, N), "telephone numbers"),
        ("First Name", [f"A{letters(n)}" for n in range(N)], "names"),
        ("name", [f"Mr. O'{letters(n)} Müller-{letters(n)}" for n in range(N)], "names"),
        ("campaign name", [f"A{letters(n)}" for n in range(N)], None),
        ("name", ["Spring", "Autumn"] * (N // 2), None),
        ("owner", ["a@example.org", "b@example.org"] * (N // 2), None),
        ("phone_seconds", [str(1000 + n) for n in range(N)], None),
        ("revenue", [f"{n + 1} {digits(3)} {digits(3)}" for n in range(N)], None),
        ("score", 9_000_000_000 + RNG.integers(0, 10**9, N), None),
        ("rate", RNG.normal(size=N), None),
        ("consent", [True, False] * (N // 2), None),
    ],
)
def test_personal_data_is_told_by_its_values(name: str, values: object, what: str | None) -> None:
    assert personal_data(name, pd.Series(values)) == what


def test_personal_data_is_left_out_unless_a_recipe_gives_its_kind() -> None:
    # Numbers as some write them would otherwise be refused as texts among numbers.
    phones = [f"{digits(10)}" for _ in range(N - 2)] + ["+49 171 1234567", "0171/1234567"]
    leads = pd.DataFrame({"phone": phones, "filler": ["x", "y"] * (N // 2)})
    assert infer_schema(leads, Recipe()).ignored == {"phone": "personal data: telephone numbers"}
    told = Recipe(fields={"phone": FieldConfig(kind="categorical")})
    assert "phone" in infer_schema(leads, told).by_name
