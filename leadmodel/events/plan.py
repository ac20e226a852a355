"""Which features are made of an event log, and what they are called."""

from collections import Counter
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["INSTALL_ENGINES", "FeaturePlan"]

INSTALL_ENGINES = "pip install narwhals==2.28.0 polars==2.1.0"
"""What tables of events need beyond requirements.txt."""


class FeaturePlan(BaseModel):
    """What to count, over which windows.

    Parameters
    ----------
    kinds : tuple of str
        The kinds of events, as plural nouns: they name the features ("views_last_7d"). In the order
        of the steps if there is one: of events at one moment, a later step counts as the later event.
    windows : tuple of int
        Days before the cutoff, rising; without any, only totals are made.
    values : tuple of str
        Kinds whose values are summed and averaged.
    items : tuple of str
        Kinds whose different items are counted.
    ratios : dict of str to (str, str)
        Names of ratios between steps, each with the kind that is counted and the kind it is divided by.
    attributes : tuple of str
        Columns of the log whose first and last known values are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[str, ...]
    windows: tuple[int, ...] = (1, 7, 30, 90)
    values: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    ratios: dict[str, tuple[str, str]] = {}
    attributes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> "FeaturePlan":
        if not self.kinds or any(days < 1 for days in self.windows):
            raise ValueError("there is at least one kind of events, and a window has at least one day")
        if list(self.windows) != sorted(set(self.windows)):
            raise ValueError(f"windows rise, such as [1, 7, 30]. Got {list(self.windows)}")
        named = {*self.values, *self.items, *(kind for pair in self.ratios.values() for kind in pair)}
        if unknown := sorted(named - set(self.kinds)):
            raise ValueError(f"values, items and ratios name kinds: {list(self.kinds)}. Got {unknown}")
        if twice := sorted(name for name, n in Counter(self.features).items() if n > 1):
            raise ValueError(
                f"two features would be called {twice[0]!r}: give the kind or ratio another name"
            )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the log that it takes."""
        value, item = ("value",) if self.values else (), ("item",) if self.items else ()
        return ("entity", "time", "kind", *value, *item, *self.attributes)

    @property
    def spans(self) -> tuple[tuple[str, int | None], ...]:
        """The endings of names with their days: ("", None) for the whole past, ("_last_7d", 7), ..."""
        return ("", None), *((f"_last_{days}d", days) for days in self.windows)

    @property
    def counted(self) -> tuple[str, ...]:
        """What is counted: the kinds, and "events" for all of them if they are several."""
        return self.kinds if len(self.kinds) == 1 else (*self.kinds, "events")

    @property
    def trends(self) -> tuple[tuple[int, int], ...]:
        """Each window with the next longer one."""
        return tuple(pairwise(self.windows))

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in the order of the columns; without "days_since_start"."""
        endings = [ending for ending, _ in self.spans]
        several = len(self.kinds) > 1
        return (
            *(f"{name}{ending}" for name in self.counted for ending in endings),
            *(f"{name}_trend_{a}d_{b}d" for name in self.counted for a, b in self.trends),
            *(f"{kind}_value{ending}" for kind in self.values for ending in endings),
            *(f"{kind}_value_mean" for kind in self.values),
            *(f"{kind}_items{ending}" for kind in self.items for ending in endings),
            *(f"{name}{ending}" for name in self.ratios for ending in endings),
            "days_since_last_event",
            *(f"days_since_last_{kind}" for kind in self.kinds if several),
            "days_since_first_event",
            "days_first_to_last_event",
            "days_between_events",
            "active_days",
            "share_on_weekends",
            "share_at_night",
            "share_in_office_hours",
            *(name for name in ("first_kind", "last_kind") if several),
            *(f"{which}_{name}" for name in self.attributes for which in ("first", "last")),
        )
