"""How the features of events are put to people, in the recipe's own words: kinds, labels and units."""

from leadmodel.events.plan import FeaturePlan
from leadmodel.leads.event_recipe import EventConfig
from leadmodel.leads.recipe import FieldConfig

__all__ = ["describe_features"]

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


def describe_features(hints: EventConfig, plan: FeaturePlan) -> dict[str, FieldConfig]:
    """Return kind, label and unit of each feature by its name.

    A count is a number even if the leads so far have none but 0 and 1, and what a text of the log says
    is a category even if it is a code.

    Parameters
    ----------
    hints : EventConfig
        What the recipe says of the tables: columns name what is summed and counted.
    plan : FeaturePlan
        Which features there are.
    """
    days = _TIMES | {f"days_since_last_{kind}": f"Since the last of: {_words(kind)}" for kind in plan.kinds}
    numbers = _NUMBERS | _counted(hints, plan)
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


def _counted(hints: EventConfig, plan: FeaturePlan) -> dict[str, str]:
    values = {kind: log.value for log in hints.logs for kind in log.kind_names if log.value}
    items = {kind: log.item for log in hints.logs for kind in log.kind_names if log.item}
    bases = {name: _title(name) for name in ("events", *plan.kinds, *plan.ratios)}
    bases |= {f"{kind}_value": f"{_title(kind)}: {_words(name)}" for kind, name in values.items()}
    bases |= {f"{kind}_items": f"{_title(kind)}: different {_words(name)}" for kind, name in items.items()}
    total = ", in all" if plan.windows else ""
    ends = {end: f", last {days} days" if days else total for end, days in plan.spans} | {
        "_last_1d": ", last day"
    }
    labels = {base + end: label + told for base, label in bases.items() for end, told in ends.items()}
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
