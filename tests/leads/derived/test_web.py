import pytest

from leadmodel.leads.derived.record import Column, Derived
from leadmodel.leads.derived.web import propose, read_host, read_parameter, read_path

DERIVED = Derived(source="page", label="Page", how="url parameter", argument="utm_source")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "http://www.Shop.example:80/Pricing/a?utm_source=News&x=1#y",
            ("shop.example", "/pricing", "news"),
        ),
        ("shop.example?utm_source=ads", ("shop.example", "/", "ads")),
        ("/blog/a", (None, "/blog", None)),
        ("https://ann:secret@shop.example", ("shop.example", "/", None)),
        ("http://[", (None, None, None)),
    ],
)
def test_parts_of_an_address(text: str, parts: tuple[str | None, ...]) -> None:
    assert (read_host(text, DERIVED), read_path(text, DERIVED), read_parameter(text, DERIVED)) == parts


def test_hosts_alone_count_where_the_name_says_so() -> None:
    def labels(name: str, texts: list[str]) -> list[str]:
        column = Column(name, name, texts, [1] * len(texts), [0] * len(texts))
        return [one.suffix for one in propose(column)]

    assert labels("website", ["a.example", "b.example/x"])[:2] == ["host", "path"]
    assert labels("file", ["a.pdf", "b.pdf"]) == []
    assert labels("anything", ["https://a.example", "/x"])[:2] == ["host", "path"]
