"""The pieces of the pages' HTML."""

from base64 import b64decode

from leadmodel.serving.ui.components import Pictures, bullets, facts, figure, gallery, section, table

EVIL = "<script>alert(1)</script>\"'&"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;"


def test_whatever_is_text_is_escaped() -> None:
    made = [
        section(EVIL),
        bullets([EVIL]),
        table([EVIL], [[f"{EVIL}\n{EVIL}"]]),
        facts([(EVIL, EVIL)]),
        figure(b"", EVIL, EVIL),
    ]
    assert "<script" not in "".join(made)
    assert [text.count(SAFE) for text in made] == [1, 1, 4, 2, 2]


def test_a_table_says_in_each_cell_what_its_column_is() -> None:
    made = table(["Model", "Loss"], [["CatBoost\nstrong", "0.5"]])
    assert '<th scope="col">Model</th><th scope="col">Loss</th>' in made
    assert '<td data-name="Model">CatBoost<small>strong</small></td><td data-name="Loss">0.5</td>' in made


def test_a_picture_carries_its_content() -> None:
    made = gallery([figure(b"\x89PNG and so on", "a curve")])
    content = made.split("base64,")[1].split('"')[0]
    assert b64decode(content) == b"\x89PNG and so on"
    assert 'alt="a curve"' in made
    assert "figcaption" not in made


def test_each_figure_is_drawn_once_per_revision() -> None:
    pictures, drawn = Pictures(), []

    def draw() -> bytes:
        drawn.append(len(drawn))
        return bytes(drawn)

    first = pictures.get("v1", ("age",), draw)
    assert pictures.get("v1", ("age",), draw) == first
    assert pictures.get("v1", ("city",), draw) != first
    assert pictures.get("v2", ("age",), draw) != first
    assert len(drawn) == 3
