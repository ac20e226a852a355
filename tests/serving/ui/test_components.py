"""The shared pieces of the pages' HTML, the stylesheet and the cache of figures."""

import re
from base64 import b64decode
from collections import Counter
from html import unescape
from importlib.resources import files

import pytest
from jinja2 import UndefinedError

from leadmodel.serving.ui.components import STYLE, Picture, PictureCache, Table, pieces, read_script, render

EVIL = "<script>alert(1)</script>\"'&"
TEMPLATES = sorted(file.name for file in files("leadmodel.serving.ui").joinpath("templates").iterdir())


def test_whatever_is_text_is_escaped() -> None:
    made = [
        pieces.bullets([EVIL]),
        pieces.table([EVIL], [[f"{EVIL}\n{EVIL}"]]),
        pieces.table(*Table([], [], EVIL)),
        pieces.facts([(EVIL, EVIL)]),
        pieces.key_figures([(EVIL, EVIL)]),
        pieces.picture(Picture(b"", EVIL, EVIL)),
        pieces.grade_badge(EVIL, 0),
        pieces.note(EVIL, [EVIL]),
        pieces.verdict(EVIL, EVIL, [(EVIL, EVIL, EVIL)]),
    ]
    assert "<script" not in "".join(made)
    counts = [unescape(text).count(EVIL) for text in made]
    assert counts == [1, 4, 1, 2, 2, 2, 1, 2, 6]


def test_a_table_says_in_each_cell_what_its_column_is() -> None:
    made = pieces.table(["Model", "Loss"], [["CatBoost\nstrong", "0.5"]])
    assert '<th scope="col">Model</th><th scope="col">Loss</th>' in made
    assert '<td data-name="Model">CatBoost<small>strong</small></td>' in made
    assert '<td data-name="Loss">0.5</td>' in made


def test_a_picture_carries_its_content() -> None:
    made = pieces.gallery([Picture(b"\x89PNG and so on", "a curve")])
    content = made.split("base64,")[1].split('"')[0]
    assert b64decode(content) == b"\x89PNG and so on"
    assert 'alt="a curve"' in made
    assert "figcaption" not in made


def test_a_template_without_its_values_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'title' is undefined"):
        render("invitation.html")


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_turns_escaping_off(name: str) -> None:
    text = files("leadmodel.serving.ui").joinpath("templates", name).read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe|autoescape", text)


def test_no_two_rules_of_the_stylesheet_contradict_each_other() -> None:
    flat = re.sub(r"/\*.*?\*/|@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", STYLE, flags=re.DOTALL)
    told = Counter(
        (selector.strip(), line.partition(":")[0].strip())
        for selectors, block in re.findall(r"([^{}]+)\{([^{}]*)\}", flat)
        for selector in selectors.split(",")
        for line in re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "", block).split(";")
        if line.strip()
    )
    allowed = {".lm-beside", ".lm-table th", ".lm-table td", ".lm-cards > section"}
    assert {selector for (selector, _), times in told.items() if times > 1} <= allowed


@pytest.mark.parametrize("name", ["keyboard", "make_link", "mark_stale", "read_address", "show_answer"])
def test_a_script_of_an_event_is_one_function(name: str) -> None:
    lines = [line for line in read_script(name).splitlines() if not line.startswith("//")]
    assert re.match(r"\([\w, .]*\) => \{$", lines[0])
    assert lines[-1] == "}"


def test_each_figure_is_drawn_once_per_revision() -> None:
    pictures, drawn = PictureCache(), []

    def draw() -> bytes:
        drawn.append(len(drawn))
        return bytes(drawn)

    first = pictures.get("v1", ("age",), draw)
    assert pictures.get("v1", ("age",), draw) == first
    assert pictures.get("v1", ("city",), draw) != first
    assert pictures.get("v2", ("age",), draw) != first
    assert len(drawn) == 3
