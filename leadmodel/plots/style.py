"""What all figures have in common: colours, axes and files, on matplotlib's object interface."""

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "ACCENT",
    "INK",
    "PALE",
    "SECOND",
    "Figure",
    "dress",
    "in_percent",
    "new_axes",
    "new_figure",
    "short",
    "to_png",
]

INK, ACCENT, SECOND, PALE = "#1f2933", "#0b6e75", "#c4602d", "#cbd2d9"
"""Dark, mid and light enough to tell apart in grey."""


def to_png(figure: Figure) -> bytes:
    """Return a figure as the content of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(height: float, width: float) -> Figure:
    """Return an empty figure; its size is in inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def new_axes(title: str, x: str, y: str, height: float = 4.2, width: float = 5.6) -> tuple[Figure, Axes]:
    """Return a new figure with a title, labelled axes and room for both; its size is in inches."""
    figure = new_figure(height, width)
    return figure, dress(figure.add_subplot(), title, x, y)


def dress(axes: Axes, title: str, x: str, y: str) -> Axes:
    """Give axes a title, labels and the look of all figures."""
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=PALE, linewidth=0.5)
    axes.set_axisbelow(True)
    return axes


def in_percent(axes: Axes) -> None:
    """Write both axes in percent."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:.0%}")


def short(text: str, width: int = 34) -> str:
    """Return a label that fits; a dollar sign would start mathematics."""
    # A single word longer than the limit would be shortened to nothing.
    text = " ".join(text.split())
    text = text if len(text) <= width else text[: width - 1].rstrip() + "…"
    return text.replace("$", r"\$")
