"""Plan the features of an event log, and label them in the words of the recipe."""

from collections import Counter
from itertools import pairwise

from pydantic import Field as ModelField
from pydantic import model_validator

from leadmodel.errors import InputError
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import FieldConfig
from leadmodel.records import Record
from leadmodel.text import format_number

__all__ = [
    "ENGINES",
    "INSTALL_ENGINES",
    "FeaturePlan",
    "FeatureWords",
    "check_engines",
    "describe_features",
    "feature_plan",
]

ENGINES = ("narwhals==2.28.0", "polars==2.1.0")
"""What events need beyond requirements.txt."""

INSTALL_ENGINES = f"pip install {' '.join(ENGINES)}"
"""Command that installs it."""

_TIMES = {
    "days_since_start": "Since the start",
    "days_since_last_event": "Since the last event",
    "days_since_first_event": "Since the first event",
    "days_first_to_last_event": "From the first event to the last",
    "days_between_events": "Between two events, on average",
}
_NUMBERS = {
    "active_days": "Days with an event",
    "share_on_weekends": "Share of events on weekends",
    "share_at_night": "Share of events at night",
    "share_in_office_hours": "Share of events in office hours",
}


def check_engines() -> None:
    """Raise InputError, with the line that installs them, if polars or Narwhals is missing."""
    try:
        import narwhals  # noqa: F401
        import polars  # noqa: F401
    except ImportError:
        raise InputError(f"Events need polars and Narwhals. Install them with: {INSTALL_ENGINES}") from None


class FeaturePlan(Record):
    """Features to compute from an event log.

    Parameters
    ----------
    kinds : tuple of str
        Kinds of events, as plural nouns; they name the features ("views_last_7d"). If the kinds are
        steps, they are in their order: of events at the same time, a later step counts as later.
    windows : tuple of int
        Days before the cutoff, ascending; without any, only totals are computed.
    values : tuple of str
        Kinds whose values are summed and averaged.
    items : tuple of str
        Kinds whose distinct items are counted.
    ratios : dict of str to (str, str)
        Names of ratios, each with the kind in the numerator and the kind in the denominator.
    attributes : tuple of str
        Columns of the log whose first and last given values are kept.
    """

    kinds: tuple[str, ...]
    windows: tuple[int, ...] = (1, 7, 30, 90)
    values: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    ratios: dict[str, tuple[str, str]] = ModelField(default_factory=dict)
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
        """Columns of the log that the plan needs."""
        value, item = ("value",) if self.values else (), ("item",) if self.items else ()
        return ("entity", "time", "kind", *value, *item, *self.attributes)

    @property
    def spans(self) -> tuple[tuple[str, int | None], ...]:
        """Suffixes of names with their days: ("", None) for the whole past, ("_last_7d", 7), ..."""
        return ("", None), *((f"_last_{days}d", days) for days in self.windows)

    @property
    def counted(self) -> tuple[str, ...]:
        """Names of counts: the kinds, and "events" for all of them if there are several."""
        return self.kinds if len(self.kinds) == 1 else (*self.kinds, "events")

    @property
    def trends(self) -> tuple[tuple[int, int], ...]:
        """Each window with the next longer one."""
        return tuple(pairwise(self.windows))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features in the order of the columns, without "days_since_start"."""
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


def feature_plan(config: EventConfig) -> FeaturePlan:
    """Return the plan of the features that the recipe asks for."""

    def kinds(part: str) -> tuple[str, ...]:
        chosen = (log.kind_names for log in config.logs if getattr(log, part))
        return tuple(dict.fromkeys(kind for names in chosen for kind in names))

    return FeaturePlan(
        kinds=config.kinds,
        windows=config.windows,
        values=kinds("value"),
        items=kinds("item"),
        ratios=config.ratios,
        attributes=config.attributes,
    )


def describe_features(config: EventConfig, plan: FeaturePlan) -> dict[str, FieldConfig]:
    """Return kind, label and unit of each feature by its name.

    Kinds are set here because inference could be wrong: a count that is 0 or 1 so far is still a
    number, and a code from the log is still a category.

    Parameters
    ----------
    config : EventConfig
        The ``[events]`` of the recipe, whose column names appear in the labels.
    plan : FeaturePlan
        The features.
    """
    days = _TIMES | {f"days_since_last_{kind}": f"Since the last of: {_words(kind)}" for kind in plan.kinds}
    numbers = _NUMBERS | _count_labels(config, plan)
    texts = {"first_kind": "First event", "last_kind": "Last event"} | {
        f"{which}_{name}": f"{which.capitalize()} {_words(name)}"
        for name in plan.attributes
        for which in ("first", "last")
    }
    return {
        **{name: FieldConfig(kind="numeric", label=label, unit="days") for name, label in days.items()},
        **{name: FieldConfig(kind="numeric", label=label) for name, label in numbers.items()},
        **{name: FieldConfig(kind="categorical", label=label) for name, label in texts.items()},
    }


def _count_labels(config: EventConfig, plan: FeaturePlan) -> dict[str, str]:
    values = {kind: log.value for log in config.logs for kind in log.kind_names if log.value}
    items = {kind: log.item for log in config.logs for kind in log.kind_names if log.item}
    bases = {name: _title(name) for name in ("events", *plan.kinds, *plan.ratios)}
    bases |= {f"{kind}_value": f"{_title(kind)}: {_words(name)}" for kind, name in values.items()}
    bases |= {f"{kind}_items": f"{_title(kind)}: different {_words(name)}" for kind, name in items.items()}
    total = ", in all" if plan.windows else ""
    windows = {suffix: f", last {days} days" if days else total for suffix, days in plan.spans}
    windows["_last_1d"] = ", last day"
    # Labels of features that the plan does not have are harmless: no column has their names.
    labels = {
        base + end: label + window for base, label in bases.items() for end, window in windows.items()
    }
    for kind, name in values.items():
        labels[f"{kind}_value_mean"] = f"{_title(kind)}: {_words(name)}, on average"
    for kind in plan.counted:
        for short, long in plan.trends:
            labels[f"{kind}_trend_{short}d_{long}d"] = f"{_title(kind)}: pace of {short} over {long} days"
    return labels


def _words(name: str) -> str:
    return name.replace("_", " ")


def _title(name: str) -> str:
    return name[0].upper() + _words(name)[1:]


class FeatureWords:
    """Put values of features in words, such as "3 lessons in the last 2 days".

    Parameters
    ----------
    config : EventConfig
        The ``[events]`` of the recipe.
    """

    def __init__(self, config: EventConfig) -> None:
        plan = feature_plan(config)
        spans = {suffix: f" in the last {days} days" if days else "" for suffix, days in plan.spans}
        spans |= {"_last_1d": " in the last day"} if "_last_1d" in spans else {}
        counted = {"events": "events"} | {kind: _words(kind) for kind in plan.kinds}
        self._counts = {
            f"{name}{suffix}": (words, span)
            for name, words in counted.items()
            for suffix, span in spans.items()
        }
        self._days = {f"days_since_last_{kind}": f"last of {_words(kind)}" for kind in plan.kinds}
        self._days |= {"days_since_last_event": "last event", "days_since_first_event": "first event"}
        self._days["days_since_start"] = "start"

    def __call__(self, name: str, value: float | str) -> str | None:
        """Return the value of a feature in words, or None if its label says it better."""
        if isinstance(value, str) or value != value:
            return None
        if name in self._counts:
            words, span = self._counts[name]
            n = "No" if value == 0 else f"{value:,.0f}"
            return f"{n} {_singular(words) if value == 1 else words}{span}"
        if name in self._days:
            days = "1 day" if value == 1 else f"{format_number(value)} days"
            return f"The {self._days[name]} was {days} before"
        return None


def _singular(words: str) -> str:
    """Return a plural noun in the singular; kinds are named by plurals."""
    if words.endswith("ies"):
        return words[:-3] + "y"
    return words[:-1] if words.endswith("s") else words
