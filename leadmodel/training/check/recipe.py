"""Write what the audit found as a recipe: a TOML file to read, correct and train with.

Training with the file as it is gives what training without it gives. What training finds out by itself,
and always in the same way, is an entry; what only a person can decide is commented out, with its figures.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from leadmodel.audit.finding import Finding, Severity
from leadmodel.errors import quoted
from leadmodel.leads.field import MIN_CATEGORY_COUNT, Field
from leadmodel.leads.outcome.rule import OPEN
from leadmodel.leads.recipe import FieldConfig, Recipe, as_names
from leadmodel.leads.values.numbers import is_gap
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.split import find_group_ids
from leadmodel.text import fold, format_number, format_percent
from leadmodel.training.check.toml import Item, array, comment, entry, value

__all__ = ["describe_field", "recipe_text"]

Derived = Mapping[str, Sequence[Field]]

HEADER = """\
# Recipe of past leads, written by `leadmodel check`. Read it, correct it, and train with it:
#   leadmodel train LEADS --recipe THIS_FILE
# A line that begins with # and no space after it is a suggestion: remove the # to follow it.
"""

_MEANINGS = {1: "positive", 0: "negative", OPEN: "open"}

_PROMPT = re.compile(
    r"[\W_]*(please |bitte )?(select|choose|pick|auswählen|wählen|choisir|sélectionner|seleccionar|elegir"
    r"|seleziona|scegli|selecionar|kies|wybierz)( (one|an? \w+|\w+en|one of \w+|from list))?[\W_]*"
)
"""What a form shows before anything is chosen, folded."""

_SAID_ELSEWHERE = (
    *("outcomes", "time of a lead", "texts read"),
    *("known leak", "personal data", "id", "free text", "constant", "date"),
)
"""Kinds of findings that are entries or comments of their own."""

_LEAKS: dict[Severity, str] = {
    "suspect leak": "Suspected leaks. Was this known when the lead came in? If not, remove the #.",
    "look at this": "Too close to a limit to call. Was it known when the lead came in?",
}


def recipe_text(data: TrainingData, derived: Derived) -> str:
    """Return the recipe that the audit of leads amounts to.

    It has no value of a lead, only outcomes and placeholders that at least five leads share.

    Parameters
    ----------
    data : TrainingData
        The audited leads, as `leadmodel.prepare.data.prepare_all` returns them.
    derived : mapping of str to sequence of Field
        Fields that training tries to derive, by column.
    """
    recipe = data.recipe
    blocks = [
        HEADER.splitlines(),
        _findings(data.audit.findings),
        _source(recipe),
        _outcomes(data),
        _times(data),
        _ids(data, derived),
        _placeholders(data),
        _left_out(data, derived),
        _derived(derived),
        _leaks(data),
        _decision(recipe),
        _fields(data),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _findings(findings: Sequence[Finding]) -> list[str]:
    """Return as a comment what the audit found and no entry of the recipe can say."""
    told = [
        one
        for one in findings
        if one.kind not in _SAID_ELSEWHERE and not (one.columns and one.severity in _LEAKS)
    ]
    lines = []
    for finding in told:
        names = ", ".join(map(quoted, finding.columns))
        lines += comment(f"{finding.kind}{f' ({names})' if names else ''}: {finding.text}")
    return ["# What else the audit found:", *lines] if lines else []


def _source(recipe: Recipe) -> list[str]:
    given = recipe.model_dump(include={"title", "source", "maker", "contact", "license"})
    notes = {"title": "for the model card"}
    lines = [
        line for name, text in given.items() if text for line in entry(name, text, notes.get(name, ""))
    ]
    return lines + (entry("sheet", recipe.sheet, "of the Excel file") if recipe.sheet else [])


def _outcomes(data: TrainingData) -> list[str]:
    recipe, rule = data.recipe, data.outcomes.rule
    rate = format_percent(float(data.y.mean()))
    note = f"the outcome: {rate} of {len(data.y):,} leads with an outcome converted"
    lines = entry("target", recipe.target, note)
    if rule.filled:
        return [*lines, *comment("A lead with a date in this column has converted.")]
    counts = {one.name: one.count for one in data.outcomes.values}
    given = {name: as_names(getattr(recipe, name)) for name in _MEANINGS.values()}
    for code, name in _MEANINGS.items():
        meant = [one for one, its in zip(counts, rule.codes(list(counts)), strict=True) if its == code]
        if rule.others and code == 0:
            lines += comment("Any other value counts as not converted.")
            continue
        # The names of rare outcomes stay unknown, and training understands them as it does now.
        named = [one for one in meant if counts[one] >= MIN_CATEGORY_COUNT or one in given[name]]
        named += [one for one in given[name] if one not in named and one not in meant]
        n_rare = sum(counts[one] for one in meant if one not in named)
        items = [Item(one, f"{counts.get(one, 0):,} leads") for one in named]
        # If training must find one word of success by itself, it must find them all.
        is_partial = name == "positive" and n_rare > 0
        if is_partial:
            items = [item._replace(is_suggested=item.value not in given[name]) for item in items]
        if name == "open" and named:
            lines += comment("Not decided yet, and therefore left out:")
        if len(items) == 1 and not is_partial:
            lines += entry(name, items[0].value, items[0].comment)
        elif items and not (is_partial and not given[name]):
            lines += array(name, items)
        elif items:
            lines += entry(name, named, "understood as these", is_suggested=True)
        if n_rare:
            lines += comment(f"{n_rare:,} leads with rarer values mean the same.")
    return lines


def _times(data: TrainingData) -> list[str]:
    recipe, lines = data.recipe, list[str]()
    why = " ".join(one.text for one in data.audit.findings if one.kind == "time of a lead")
    if recipe.time:
        note = "orders the leads; the newest become the test leads"
        lines += comment(why) + entry("time", recipe.time, note)
    else:
        lines += comment(why or "No date is known. Name one, and the newest leads become the test leads:")
        lines.append('#time = "COLUMN"')
    if recipe.converted_at:
        lines += entry("converted_at", recipe.converted_at, "the date of conversion")
    if recipe.horizon:
        lines += entry("horizon", recipe.horizon, "days to convert in; younger leads are left out")
    if recipe.amount:
        lines += entry("amount", recipe.amount, "what a converted lead brought")
    if recipe.decimal:
        lines += entry("decimal", recipe.decimal, "the mark of decimals")
    elif names := [field.name for field in data.schema.fields if field.decimal_comma]:
        note = f"the comma marks decimals in {', '.join(map(quoted, names))}"
        lines += entry("decimal", ",", note, is_suggested=True)
    return lines


def _ids(data: TrainingData, derived: Derived) -> list[str]:
    given = data.recipe.id
    # What is filled in for one outcome is a leak rather than an id.
    others = {*given, *data.audit.suspects}
    found = [name for name, why in data.schema.ignored.items() if why == "id" and name not in others]
    items = [Item(name, "identifies a lead") for name in given]
    for name in found:
        # Leads of one id stay together, and nothing is derived from an id: both would change the model.
        repeats = find_group_ids(data.raw(name)) is not None and not items
        note = "different for nearly every lead"
        if repeats:
            note += "; if it names a person, remove the #: the leads of a person then stay together"
        elif name in derived:
            note += "; with the # removed, nothing is derived from it"
        items.append(Item(name, note, is_suggested=repeats or name in derived))
    lines = comment("Columns that identify a lead. They are not learned from.")
    return [*lines, *array("id", items)] if items else []


def _placeholders(data: TrainingData) -> list[str]:
    given = data.recipe.placeholders
    items = [Item(text) for text in given]
    for text, places in _find_placeholders(data).items():
        named = ", ".join(f"{quoted(name)} ({count:,} leads)" for name, count in places[:5])
        more = f" and {len(places) - 5} other columns" if len(places) > 5 else ""
        items.append(Item(text, f"in {named}{more}", is_suggested=True))
    lines = comment("Texts that mark a missing value. Remove the # of those that mean no more than that.")
    return [*lines, *array("placeholders", items)] if items else []


def _find_placeholders(data: TrainingData) -> dict[str, list[tuple[str, int]]]:
    """Return texts that may mean nothing, each with its columns and numbers of leads."""
    found: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for field in data.schema.fields:
        texts = [text for text in field.choices if is_gap(text) or _PROMPT.fullmatch(fold(text))]
        if field.kind != "categorical" or not texts:
            continue
        codes = data.X[field.name].cat
        counts = np.bincount(codes.codes, minlength=len(codes.categories))
        for text in texts:
            if text in codes.categories:
                found[text].append((field.name, int(counts[codes.categories.get_loc(text)])))
    return found


def _left_out(data: TrainingData, derived: Derived) -> list[str]:
    roles = data.recipe.unused()
    reasons = {name: why for name, why in data.schema.ignored.items() if name not in roles and why != "id"}
    lines = []
    if data.recipe.drop:
        note = comment("Columns that are left out on request.")
        lines += [*note, *array("drop", [Item(name) for name in data.recipe.drop])]
    if reasons:
        lines += comment("Columns that training leaves out. All but constants can be given a kind.")
        for name, why in reasons.items():
            tried = "; only what can be derived is used" if name in derived else ""
            lines += comment(f"{value(name)}: {why}{tried}", indent="  ")
    return lines


def _derived(derived: Derived) -> list[str]:
    if not derived:
        return []
    lines = comment(
        "Training tries to derive these fields, and keeps those that improve the model beyond doubt. To "
        "prevent it, put the column into drop."
    )
    for name, fields in derived.items():
        lines += comment(f"{value(name)}: {', '.join(field.label for field in fields)}", indent="  ")
    return lines


def _leaks(data: TrainingData) -> list[str]:
    lines = [line for name, why in data.recipe.leaks.items() for line in entry(name, why)]
    told = set(data.recipe.leaks)
    for severity, heading in _LEAKS.items():
        found = [one for one in data.audit.findings if one.severity == severity and one.columns]
        lines += comment(heading) if found else []
        for finding in found:
            names = [name for name in finding.columns if name not in told]
            told.update(names)
            lines += comment(f"{finding.kind}: {finding.text}") if names else []
            for name in names:
                lines += entry(name, f"{finding.kind}, by the audit", is_suggested=True)
    return ["[leaks]", *lines] if lines else []


def _decision(recipe: Recipe) -> list[str]:
    given = recipe.decision.model_dump(exclude_defaults=True)
    return ["[decision]", *(line for pair in given.items() for line in entry(*pair))] if given else []


def _fields(data: TrainingData) -> list[str]:
    lines = ["[fields]", *comment("What each column is taken for, its label, and the unit of a number.")]
    for field in data.schema.fields:
        found = {"kind": field.kind, "label": field.label} | ({"unit": field.unit} if field.unit else {})
        config = data.recipe.fields.get(field.name, FieldConfig())
        given = found | config.model_dump(exclude_none=True)
        lines += comment(field.reading) + entry(field.name, given, describe_field(field))
    for name, config in data.recipe.fields.items():
        if name not in data.schema.by_name:
            lines += entry(name, config.model_dump(exclude_none=True), "not used now")
    return lines


def describe_field(field: Field) -> str:
    """Return the range or the number of values of a field, and its gaps."""
    return ", ".join(_describe(field))


def _describe(field: Field) -> Iterator[str]:
    if field.kind == "numeric" and field.minimum is not None and field.maximum is not None:
        yield f"usually {format_number(field.minimum)} to {format_number(field.maximum)}"
    if field.kind == "categorical":
        values = "value" if len(field.choices) == 1 else "values"
        yield f"{len(field.choices):,} {values} shared by at least {MIN_CATEGORY_COUNT} leads"
    yield f"{format_percent(field.missing_share)} missing" if field.missing_share else "hardly any missing"
