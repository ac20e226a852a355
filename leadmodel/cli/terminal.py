"""Print to the terminal."""

from typing import TextIO

from leadmodel.leads.parse import visible

__all__ = ["say"]


def say(text: str, file: TextIO | None = None) -> None:
    """Print lines that may hold texts of leads, which a terminal is to show and not to obey."""
    print(visible(text, keep="\n"), file=file)
