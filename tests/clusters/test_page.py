"""What the page of the segments says, without a browser."""

import re

import pytest

from leadmodel.clusters.page import BY_CONVERSION, BY_SEGMENT, CONVERSIONS, render_segments
from leadmodel.model import LeadModel

ANY, ABOVE, BELOW = CONVERSIONS


def numbers_of(html: str) -> list[int]:
    """Return the segments that have a card."""
    return [int(number) for number in re.findall(r"<h2><b [^>]*>(\d+)</b>", html)]


def test_each_segment_has_a_card_with_its_words_and_numbers(model_of_kinds: LeadModel) -> None:
    html = render_segments(model_of_kinds, [1, 2, 3], ANY, BY_SEGMENT)
    found = model_of_kinds.evaluation.options["segments"]
    assert found is not None
    assert numbers_of(html) == [1, 2, 3]
    for one in found.segments:
        assert one.name in html
        assert (
            f"{one.train.count:,}, {one.train.count / model_of_kinds.profile.leads.count:.0%} of all"
            in html
        )
        assert all(f"<li>{sentence}</li>" in html for sentence in one.description)
        rate = one.conversion[0]
        assert f"{rate.value:.0%} ({rate.low:.0%} to {rate.high:.0%})" in html
    assert html.count("<circle ") == 3
    assert found.map is not None
    assert html.count("<rect ") == len(found.map.spots)


def test_the_map_shows_what_is_chosen(model_of_kinds: LeadModel) -> None:
    html = render_segments(model_of_kinds, [2], ANY, BY_CONVERSION)
    found = model_of_kinds.evaluation.options["segments"]
    assert found is not None and found.map is not None
    assert numbers_of(html) == [2]
    assert html.count("<rect ") == sum(spot.segment == 1 for spot in found.map.spots)
    assert "The darker, the more of the leads there converted" in html


def test_segments_are_picked_by_conversion(model_of_kinds: LeadModel) -> None:
    found, average = model_of_kinds.evaluation.options["segments"], model_of_kinds.profile.leads.rate
    assert found is not None
    above = [number for number, one in enumerate(found.segments, 1) if one.train.rate > average]
    assert 0 < len(above) < 3
    assert numbers_of(render_segments(model_of_kinds, [1, 2, 3], ABOVE, BY_SEGMENT)) == above
    below = numbers_of(render_segments(model_of_kinds, [1, 2, 3], BELOW, BY_SEGMENT))
    assert sorted(above + below) == [1, 2, 3]
    assert "No segment matches" in render_segments(model_of_kinds, [], ANY, BY_SEGMENT)


def test_names_from_files_stay_text(model_of_kinds: LeadModel) -> None:
    evil = b"<img src=x onerror=alert(1)>"
    name = model_of_kinds.config.options["segments"].names[0].encode()
    files = {
        key: content.replace(b'"' + name + b'"', b'"' + evil + b'"') if key.endswith(".json") else content
        for key, content in model_of_kinds.files.items()
    }
    html = render_segments(LeadModel(files), [1, 2, 3], ANY, BY_SEGMENT)
    assert "<img" not in html
    assert html.count("&lt;img") == 2  # on the card, and in the words of the map


@pytest.mark.parametrize("by", [BY_SEGMENT, BY_CONVERSION])
def test_a_model_without_segments_says_so(model: LeadModel, by: str) -> None:
    assert "This model has no segments" in render_segments(model, [1], ANY, by)
