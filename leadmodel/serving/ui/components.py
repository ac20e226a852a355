"""Read templates, stylesheet and scripts of the pages, and hold figures as the pages show them."""

import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined

from leadmodel.metrics.classification import Estimate

__all__ = ["STYLE", "Picture", "PictureCache", "Table", "pieces", "read_script", "render", "with_interval"]

# importlib.resources and not a path, so that the files are also found in a zipped package.
_FILES = files("leadmodel.serving.ui")


def _read(folder: str, name: str) -> str:
    return _FILES.joinpath(folder, name).read_text(encoding="utf-8")


def read_script(name: str) -> str:
    """Return a script that Gradio runs in the browser: one function, or the body of one."""
    return _read("static", f"{name}.js")


# Names and values of leads come from strangers: everything is escaped unless a template says otherwise,
# and a misspelled variable is an error instead of an empty text.
_ENVIRONMENT = Environment(
    # An option's templates are beside its code: "amounts/report.html".
    loader=FunctionLoader(lambda name: _read("../..", name) if "/" in name else _read("templates", name)),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.filters |= {
    "number": format,
    "png_address": lambda png: f"data:image/png;base64,{b64encode(png).decode()}",
}

STYLE = _read("static", "style.css")

# The macros that templates share, callable from Python as well: the notebook builds its tables of them.
pieces: Any = _ENVIRONMENT.get_template("pieces.html").module


def render(template: str, /, **values: Any) -> str:
    """Render a template as HTML; it is compiled when it is first used."""
    return _ENVIRONMENT.get_template(template).render(values)


class Picture(NamedTuple):
    """A figure as a PNG file, with a text for readers who cannot see it."""

    png: bytes
    alternative: str
    caption: str = ""


class Table(NamedTuple):
    """A table and the sentence above it; in a cell, text after a line break is set small."""

    header: Sequence[str]
    rows: Iterable[Sequence[str]]
    text: str = ""


def with_interval(estimate: Estimate, spec: str) -> str:
    """Return an estimate as the text of a cell, with its interval set small below it."""
    return f"{estimate.value:{spec}}\n{estimate.low:{spec}} to {estimate.high:{spec}}"


class PictureCache:
    """Figures of the served model, each drawn once, and one at a time."""

    def __init__(self) -> None:
        # One at a time: Matplotlib takes all of a core, and the same figure would be drawn twice.
        self._lock, self._revision = threading.Lock(), ""
        self._drawn: dict[tuple[str, ...], bytes] = {}

    def paint(self, figure: Any) -> bytes:
        """Return a figure as the content of a PNG file."""
        from leadmodel.plots.style import to_png  # takes long, so its first user waits

        return to_png(figure)

    def get(self, revision: str, name: tuple[str, ...], draw: Callable[[], bytes]) -> bytes:
        """Return the figure of that name as a PNG file; forget all figures when the revision changes."""
        with self._lock:
            if revision != self._revision:
                self._revision, self._drawn = revision, {}
            if name not in self._drawn:
                self._drawn[name] = draw()
            return self._drawn[name]
