from leadmodel.plots.style import short


def test_a_label_is_cut_to_its_width_and_starts_no_mathematics() -> None:
    assert short("a  b\nc") == "a b c"
    assert short("x" * 50, 10) == "x" * 9 + "…"
    assert short("$5 or $6") == r"\$5 or \$6"
