"""Check that the files of a folder are of one model, and nothing but a model."""

import re
from collections.abc import Mapping

from leadmodel.errors import ModelError
from leadmodel.publishing.config import ModelConfig
from leadmodel.publishing.files import MODEL_FILE

__all__ = ["check_consistency"]

_MARKUP = re.compile(rb"<[a-z/!?][^>\n]*|\]\(\s*(javascript|data|vbscript):", re.IGNORECASE)
"""Markup that a card of ours escapes: any of it was put there by somebody else."""

_PNG = b"\x89PNG\r\n\x1a\n"


def check_consistency(files: Mapping[str, bytes], config: ModelConfig) -> None:
    """Check the files that people read or install from against the configuration.

    Raises
    ------
    ModelError
        If README.md is the card of another model or holds active markup, requirements.txt
        asks for anything but what the model was made with, a plot is no PNG, or the files of
        the parts, of amounts and of segments are not those that config.json names.
    """
    named = set(config.checksums) - {MODEL_FILE}
    found = {name for name in files if name.endswith(".skops")} - {MODEL_FILE}
    if named != found:
        raise ModelError(
            f"The files beside {MODEL_FILE} must be those of config.json, {sorted(named)}. "
            f"Found: {sorted(found)}."
        )
    card = files["README.md"]
    if config.sha256.encode() not in card:
        raise ModelError("README.md is not the card of this model: it must name the sha256 of model.skops.")
    if markup := _MARKUP.search(card):
        raise ModelError(
            f"README.md holds markup that no card needs: {markup[0][:60].decode(errors='replace')!r}."
        )
    if (
        files["requirements.txt"].decode(errors="replace").splitlines()
        != config.requirements().splitlines()
    ):
        raise ModelError("requirements.txt must name the versions of config.json and nothing else.")
    for name, content in files.items():
        if name.endswith(".png") and not content.startswith(_PNG):
            raise ModelError(f"{name} must be a PNG image. It is not.")
