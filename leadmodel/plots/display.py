"""A figure as an object, in the manner of scikit-learn's displays: computed once, drawn anywhere."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from leadmodel.plots.style import dress, new_figure, to_png

__all__ = ["Display"]

WIDTH = 5.6
"""In inches."""


class Display:
    """Numbers that are ready to be drawn.

    Parameters
    ----------
    title, x, y : str
        Of the axes.
    draw : callable
        Draws the numbers on axes.
    height : float
        In inches, where the display makes the figure.

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
        """Draw on `ax`, or on a new figure of its own, and return the display."""
        self.ax_ = new_figure(self.height, WIDTH).add_subplot() if ax is None else ax
        figure = self.ax_.get_figure(root=True)
        assert figure is not None
        self.figure_ = figure
        self._draw(dress(self.ax_, self.title, self.x, self.y))
        return self

    def _repr_png_(self) -> bytes:
        """Return the figure for a notebook, which shows it without pyplot."""
        return to_png(self.figure_ if hasattr(self, "figure_") else self.plot().figure_)
