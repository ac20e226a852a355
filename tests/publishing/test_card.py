import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from huggingface_hub import ModelCard
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markdown_it import MarkdownIt
from markdown_it.token import Token
from support import command

from leadmodel.audit.audit import Audit
from leadmodel.leads.sample import SAMPLE_RECIPE
from leadmodel.model import LeadModel
from leadmodel.prepare.settings import TrainingSettings
from leadmodel.publishing import card
from leadmodel.publishing.config import ModelConfig
from leadmodel.publishing.loading import check_consistency
from leadmodel.report.evaluation import Evaluation
from leadmodel.text import markdown, visible
from leadmodel.training.interface import train_model


def snippet(text: str) -> str:
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_cards_snippet_runs_without_this_package(model: LeadModel, folder: Path) -> None:
    forbid = "import sys; sys.modules['leadmodel'] = None\n"
    code = forbid + snippet((folder / "README.md").read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    example = pd.DataFrame([model.schema.example()])
    assert float(done.stdout.strip(" []\n")) == pytest.approx(model.predict_proba(example)[0, 1], abs=1e-7)


def test_the_card_says_what_only_this_package_reads(model: LeadModel) -> None:
    fields = tuple(
        field.model_copy(update={"reading": "Read as numbers in years."}) if field.name == "age" else field
        for field in model.schema.fields
    )
    schema = model.schema.model_copy(update={"fields": fields})
    config = model.config.model_copy(update={"lead_schema": schema})
    assert "- Age: Read as numbers in years." in card.render_card(config, model.evaluation, model.profile)
    assert "leadmodel reads more" not in model.files["README.md"].decode()


def test_every_metric_of_the_card_is_the_measured_one(model: LeadModel) -> None:
    text = model.files["README.md"].decode()
    for kind, estimate in model.evaluation.test.items():
        name = card.METRIC_NAMES[kind]
        assert f"| {name} | {estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})" in text


def test_the_card_tells_what_the_audit_found(model: LeadModel) -> None:
    text = model.files["README.md"].decode().split("## What the audit found")[1].split("\n## ")[0]
    assert model.evaluation.audit.findings
    for one in model.evaluation.audit.findings:
        assert f"| {', '.join(one.columns)} | {one.kind} | {one.severity} | {one.text} |" in text
    nothing = model.evaluation.model_copy(update={"audit": Audit()})
    assert "Nothing: no column of the leads is suspected" in card.render_card(
        model.config, nothing, model.profile
    )


def test_the_metadata_is_what_the_hub_reads(model: LeadModel) -> None:
    data = ModelCard(model.files["README.md"].decode()).data
    assert (data.library_name, data.pipeline_tag) == ("sklearn", "tabular-classification")
    assert {result.metric_type for result in data.eval_results or []} >= {"roc_auc", "log_loss"}


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'surprise' is undefined"):
        card.environment().from_string("{{ surprise }}").render()


def test_markup_in_names_and_values_is_escaped(sample: pd.DataFrame, quick: TrainingSettings) -> None:
    evil = "<script>alert('1')</script> | a | \n# b"
    leads = sample.assign(source=sample["source"].replace("Search", evil))
    leads = leads.rename(columns={"course": "<img src=x onerror=alert(1)>"})
    leads = leads.assign(**{"<b>|\n# b": leads["status"]})
    made = train_model(leads, SAMPLE_RECIPE.updated(title="A <b>bold</b> title"), quick)
    text = made.files["README.md"].decode()
    body = text.split("---\n", 2)[2]
    assert "<script" not in body
    assert "<img" not in body
    assert "<b>" not in body
    assert "\n# b" not in body


def test_requirements_are_exact(model: LeadModel) -> None:
    lines = model.files["requirements.txt"].decode().splitlines()
    assert f"catboost=={model.config.versions['catboost']}" in lines
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", line) for line in lines)


def test_no_lead_is_in_any_file(model: LeadModel, sample: pd.DataFrame) -> None:
    with zipfile.ZipFile(io.BytesIO(model.files["model.skops"])) as archive:
        unpacked = {name: archive.read(name) for name in archive.namelist()}
    assert b"minutes_on_site" in b"".join(unpacked.values())
    for name, content in {**model.files, **unpacked}.items():
        assert b"L000017" not in content, name
        assert sample["created_at"].iloc[17].encode() not in content, name
    rare = [city for city, count in sample["city"].value_counts().items() if count < 3]
    assert rare
    texts = b"".join([*model.files.values(), *unpacked.values()]).decode(errors="ignore")
    assert not [city for city in rare if str(city) in texts]


LINK = "[win](javascript:alert(1))"
HOSTILE = [
    LINK,
    "![seen](https://evil.example/pixel.png)",
    "![seen][a]",
    "[a]: javascript:alert(1)",
    "<script>alert(1)</script>",
    "&lt;img src=x&gt; &#60;b&#62;",
    "<https://evil.example> https://evil.example www.evil.example",
    "`` ` code ` ``",
    "a | b \\| c",
    "# heading",
    "- item",
    "1. item",
    "---",
    "$$x$$ **bold** _it_ ~~no~~ \\[x](y)",
    "\x1b[2J\x1b]0;title\x07 two\nlines\u2028and\u202eturned",
    "```\n# b",
]
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from([*HOSTILE, *"<>[]()!`*_~|\\&#:/$-+=. \nab1"]), max_size=12).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)


def tokens(text: str) -> list[Token]:
    """Return what a reader of Markdown, as the Hub has one, makes of a text."""
    body = text.split("\n---\n", 1)[1] if text.startswith("---\n") else text
    blocks = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)
    return [token for block in blocks for token in [block, *(block.children or ())]]


def kinds(text: str) -> list[str]:
    """Return the kinds of a text's tokens, without those of plain text."""
    plain = {"text", "softbreak", "code_inline"}
    return [token.type for token in tokens(text) if token.type not in plain]


@settings(deadline=None)
@given(TEXTS)
@example(HOSTILE[-2])
def test_any_text_is_shown_as_it_is_and_does_nothing(text: str) -> None:
    for frame in ("| x |\n| --- |\n| {}x |", "- {}x", "- {} x", "# {} x"):
        assert kinds(frame.format(markdown(text))) == kinds(frame.format("x"))
    (shown,) = (token.content for token in tokens(f"x{markdown(text)}x") if token.type == "text")
    assert shown == f"x{visible(text)}x"
    assert not re.search("://|www[.]", markdown(text), re.IGNORECASE)


def said_anew(content: object, words: dict[str, str]) -> object:
    """Return JSON with other words in each of its texts."""
    if isinstance(content, dict):
        return {said_anew(name, words): said_anew(value, words) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [said_anew(value, words) for value in content]
    if isinstance(content, str):
        for old, new in words.items():
            content = content.replace(old, new)
    return content


@settings(deadline=None, max_examples=30)
@given(TEXTS, TEXTS, TEXTS)
def test_every_card_of_hostile_texts_is_accepted_and_harmless(
    model: LeadModel, value: str, label: str, title: str
) -> None:
    words = {"Search": value + "S", "Website visits": label + "W", "Synthetic leads": title}
    config = said_anew(model.config.model_dump(mode="json", by_alias=True), words)
    assert isinstance(config, dict)
    config |= {"title": title, "target": label, "positive": value}
    measured = said_anew(model.evaluation.model_dump(mode="json"), words)
    hostile = ModelConfig.model_validate(config), Evaluation.model_validate(measured), model.profile
    text = card.render_card(*hostile)
    check_consistency({**model.files, "README.md": text.encode()}, model.config)
    assert kinds(text) == kinds(model.files["README.md"].decode())
    assert "\x1b" not in text


def test_leads_of_a_web_form_cannot_stop_a_training(
    sample: pd.DataFrame, quick: TrainingSettings, tmp_path: Path
) -> None:
    leads = sample.rename(columns={"age": "![age](http://evil.example/a.png)\x1b[2J"})
    for place, text in enumerate(HOSTILE):
        leads.iloc[6 * place : 6 * place + 6, leads.columns.get_loc("source")] = text
    made = train_model(leads, SAMPLE_RECIPE.updated(title=f"{LINK}\x1b[2J\nsecond line"), quick)
    made.save_pretrained(tmp_path / "model")
    opened = LeadModel.from_pretrained(tmp_path / "model")
    assert opened.config.title == f"{LINK}\\x1b[2J\\nsecond line"
    text = opened.files["README.md"].decode()
    assert markdown(LINK) in text
    assert not {"html_block", "html_inline", "link_open"} & set(kinds(text))
    pictures = [token.attrs["src"] for token in tokens(text) if token.type == "image"]
    assert pictures
    assert all(str(source).startswith("plots/") for source in pictures)


def test_links_of_whoever_made_the_model_stay_links(model: LeadModel) -> None:
    words = (
        "[the shop](https://shop.example/a_b) or https://shop.example, not ![x](https://a.example/p.png)"
    )
    config = model.config.model_copy(update={"source": f"{words} or {LINK}"})
    text = card.render_card(config, model.evaluation, model.profile)
    links = [token.attrs["href"] for token in tokens(text) if token.type == "link_open"]
    assert links == ["https://shop.example/a_b"]
    assert " or https://shop.example, " in text
    assert "https://a.example/p.png" not in [token.attrs.get("src") for token in tokens(text)]


def test_a_terminal_is_shown_texts_of_leads_and_obeys_none(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("\x1b[2J\x1b]0;mine\x07,b\n1,2\n")
    failed = command("-m", "leadmodel", "check", tmp_path / "bad.csv", "--target", "a")
    assert failed.returncode == 2
    assert "\x1b" not in failed.stderr
    assert "\\x1b[2J\\x1b]0;mine\\x07" in failed.stderr
