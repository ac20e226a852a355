"""Style all figures alike, and turn them into PNG files or objects for notebooks, without pyplot."""

import io
from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

__all__ = [
    "ACCENT",
    "INK",
    "PALE",
    "SECOND",
    "Display",
    "Figure",
    "dress",
    "in_percent",
    "legend_below",
    "new_axes",
    "new_figure",
    "short",
    "to_png",
]

INK, ACCENT, SECOND, PALE = "#1f2933", "#0b6e75", "#c4602d", "#cbd2d9"
"""Dark, medium and light enough to tell apart in gray."""

WIDTH = 5.6
"""In inches."""


def to_png(figure: Figure) -> bytes:
    """Return a figure as the content of a PNG file."""
    buffer = io.BytesIO()
    # Without the name of the software, the same figure gives the same bytes in any release.
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(height: float, width: float) -> Figure:
    """Create an empty figure; its size is in inches."""
    # Without pyplot, which keeps every figure in a global list that is not safe for threads.
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def new_axes(title: str, x: str, y: str, height: float = 4.2, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Create a figure with one pair of axes, a title and labels; its size is in inches."""
    figure = new_figure(height, width)
    return figure, dress(figure.add_subplot(), title, x, y)


def dress(axes: Axes, title: str, x: str, y: str) -> Axes:
    """Set title and labels of axes, and the style of all figures."""
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=PALE, linewidth=0.5)
    axes.set_axisbelow(True)
    return axes


def in_percent(*axes: Axis) -> None:
    """Label axes such as ``axes.xaxis`` in percent."""
    for axis in axes:
        axis.set_major_formatter(lambda value, _: f"{value:.0%}")


def legend_below(figure: Figure, n_columns: int = 2) -> None:
    """Add the legend below the axes, where it hides nothing on a narrow screen."""
    figure.legend(loc="outside lower center", ncols=n_columns, frameon=False)


def short(text: str, width: int = 34) -> str:
    """Shorten a label to `width` characters, and escape dollar signs, which start formulas."""
    # Not textwrap.shorten, which would drop a single long word.
    text = " ".join(text.split())
    text = text if len(text) <= width else text[: width - 1].rstrip() + "…"
    return text.replace("$", r"\$")


class Display:
    """Numbers that are ready to be drawn, like scikit-learn's displays.

    Parameters
    ----------
    title, x, y : str
        Title and labels of the axes.
    draw : callable
        Draws the numbers on axes.
    height : float
        Height of a new figure in inches.

    Attributes
    ----------
    figure_ : Figure
        The figure of the last `plot`.
    ax_ : Axes
        Its axes.
    """

    figure_: Figure
    ax_: Axes

    def __init__(
        self, title: str, x: str, y: str, draw: Callable[[Axes], None], height: float = 4.2
    ) -> None:
        self.title, self.x, self.y, self.height, self._draw = title, x, y, height, draw

    def plot(self, ax: Axes | None = None) -> "Display":
        """Draw on `ax`, or on a new figure, and return the display."""
        self.ax_ = new_figure(self.height, WIDTH).add_subplot() if ax is None else ax
        figure = self.ax_.get_figure(root=True)
        assert figure is not None  # axes that are removed have none
        self.figure_ = figure
        self._draw(dress(self.ax_, self.title, self.x, self.y))
        return self

    def _repr_png_(self) -> bytes:
        """Return the figure for a notebook, which shows it without pyplot."""
        return to_png(self.figure_ if hasattr(self, "figure_") else self.plot().figure_)
