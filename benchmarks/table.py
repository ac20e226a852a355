"""How every benchmark prints: a Markdown table with its date and machine."""

import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version

__all__ = ["print_head", "print_table"]


PACKAGES = ("catboost", "gradio", "pandas", "scikit-learn")


def print_table(title: str, rows: Sequence[Sequence[object]], packages: Sequence[str] = PACKAGES) -> None:
    """Print rows of (what, measured, unit, measured beside it or "", bar)."""
    print_head(title, packages)
    print("\n| What | Measured | Beside it | Ratio | Bar |\n| --- | --- | --- | --- | --- |")
    for what, measured, unit, beside, bar in rows:
        ratio = f"{float(measured) / beside:.2f}" if isinstance(beside, float) else ""  # type: ignore[arg-type]
        shown = f"{beside:,.2f} {unit}" if isinstance(beside, float) else ""
        print(f"| {what} | {measured:,.2f} {unit} | {shown} | {ratio} | {bar} |")
    print()


def print_head(title: str, packages: Sequence[str] = PACKAGES) -> None:
    """Print the title of a table, when and where it was measured, and with what."""
    print(f"### {title}\n")
    print(
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
    )
    print(", ".join(f"{name} {version(name)}" for name in packages))
