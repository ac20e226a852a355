import re

from support import ROOT, command

SOURCE = (ROOT / "leadmodel" / "cli" / "serve.py").read_text(encoding="utf-8")
SETTINGS = set(re.findall(r'"((?:LEADMODEL|GRADIO_SERVER)_[A-Z_]+)"', SOURCE))


def test_help_lists_every_setting_with_its_default_and_starts_nothing() -> None:
    # Opening this model would end with status 2.
    done = command("-m", "leadmodel", "serve", "--help", LEADMODEL_REPO="/nowhere/at/all")
    assert (done.returncode, done.stderr) == (0, "")
    paragraphs = re.split(r"^(?=[A-Z]+_)", done.stdout, flags=re.MULTILINE)
    described = {text.split()[0]: text for text in paragraphs if re.match(r"[A-Z]+_[A-Z_]+ ", text)}
    assert len(SETTINGS) == 12
    assert set(described) == SETTINGS
    assert all("(default: " in text for text in described.values())
