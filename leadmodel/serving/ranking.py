"""A list of leads, ranked: what was understood of it, and who is to be called first."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadmodel.arrays import Floats, Positions
from leadmodel.batch.score import answer_columns, append_answers
from leadmodel.decision.policy import Decision
from leadmodel.explain.reasons import Reason, explain
from leadmodel.leads.convert import read_columns
from leadmodel.leads.schema import LeadSchema, identifier
from leadmodel.leads.table import LeadTable, count_warnings
from leadmodel.model import LeadModel

__all__ = ["Match", "Progress", "RankedLeads", "Ranking", "match_columns", "rank_list", "toggle_sort"]

CHUNK = 5000
"""Leads explained between two signs of progress."""

Progress = Callable[[float, str], object]
Tell = Callable[[LeadTable, Mapping[str, pa.Array]], Mapping[str, pa.Array]]
Ranking = Literal["probability", "expected_value"]

BEST_FIRST = ("probability", "score", "expected_value", "expected_amount")
"""Answers that are sorted from the highest one down, first."""


@dataclass(frozen=True)
class Match:
    """A field of the model, its column in the list, and how many values are unusual in it."""

    field: str
    label: str
    column: str
    missing: int
    unseen: int
    out_of_range: int


@dataclass(frozen=True, eq=False)
class RankedLeads:
    """The leads of a list, best first: by probability, or by expected value.

    Parameters
    ----------
    name : str
        Of the file.
    table : pyarrow.Table of n_leads rows
        The columns of the list as they were, then the answers.
    answers : dict of str to str
        The column of each answer: probability, score, grade, decision, warnings, reason_for,
        reason_against; columns of options such as expected_value; request_id and row where answers are
        logged.
    rows : array of shape (n_leads,)
        The number of each lead in the list as it was, 1 being the first.
    matches : tuple of Match
        A field of the model each.
    unused : dict of str to str
        Columns that the model does not use, with the reason where there is one.
    decision : Decision
        What made scores, grades and decisions of their probabilities.
    places : array of shape (n_leads,)
        The place of each lead's grade among the decision's.
    choices : mapping of str to tuple of str
        Possible values of the answers of options that are texts.
    formats : mapping of str to callable
        Write the numbers of answers of options for people.
    ranking : str
        The answer that the leads are ranked by.
    """

    name: str
    table: pa.Table
    answers: Mapping[str, str]
    rows: Positions
    matches: tuple[Match, ...]
    unused: Mapping[str, str]
    decision: Decision
    places: Positions
    choices: Mapping[str, tuple[str, ...]]
    formats: Mapping[str, Callable[[float], str]]
    ranking: Ranking = "probability"

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def columns(self) -> list[str]:
        """The columns of the list as it was."""
        return self.table.column_names[: -len(self.answers)]

    @property
    def bands(self) -> list[str]:
        """The grades, best first."""
        return list(self.decision.bands)

    @property
    def probability(self) -> Floats:
        """Of each lead, in their order."""
        return self.answer("probability").to_numpy()

    @property
    def values(self) -> Floats | None:
        """The expected value of each lead, if they are ranked by it."""
        return self.answer("expected_value").to_numpy() if self.ranking == "expected_value" else None

    def format(self, answer: str, number: float) -> str:
        """Write a number of an answer for people, such as an expected value with its unit."""
        return self.formats.get(answer, "{:,.2f}".format)(number)

    def ranked_by(self, ranking: Ranking) -> "RankedLeads":
        """Return the same leads, the highest answer of that name first; equal ones as the list had them."""
        order = np.lexsort((self.rows, -self.answer(ranking).to_numpy()))
        return replace(
            self,
            table=self.table.take(order),
            rows=self.rows[order],
            places=self.places[order],
            ranking=ranking,
        )

    def answer(self, name: str) -> pa.ChunkedArray:
        """Return an answer of each lead."""
        return self.table[self.answers[name]]

    def count(self, grade: str) -> int:
        """Return how many leads have that grade."""
        return int(np.sum(self.places == self.bands.index(grade)))

    def count_choice(self, answer: str, value: str) -> int:
        """Return how many leads have that value as their answer."""
        return pc.sum(pc.equal(self.answer(answer), value)).as_py() or 0

    def arrange(
        self,
        grades: Collection[str],
        column: str | None = None,
        *,
        descending: bool = False,
        choices: Mapping[str, Collection[str]] | None = None,
    ) -> Positions:
        """Return the places of the leads with these grades, best first or by a column.

        Given `choices`, of the leads alone whose answers of these names are among the values.

        Numbers go by size, what is lacking last; leads of one value stay best first.
        """
        wanted = [place for place, grade in enumerate(self.bands) if grade in grades]
        chosen = np.isin(self.places, wanted)
        for name, values in (choices or {}).items():
            chosen &= self.answer(name).to_pandas().isin(values).to_numpy()
        found = np.flatnonzero(chosen)
        if column is None:
            return found
        cells = self.table[column].to_pandas().iloc[found]
        numbers = pd.to_numeric(cells, errors="coerce")
        if numbers.notna().sum() == cells.notna().sum():
            cells = numbers
        order = cells.sort_values(ascending=not descending, kind="stable", na_position="last")
        return order.index.to_numpy()


def rank_list(
    model: LeadModel,
    name: str,
    leads: pa.Table,
    progress: Progress = lambda share, what: None,
    tell: Tell = lambda typed, answers: {},
) -> RankedLeads:
    """Score a list, explain each lead and put the best first.

    Parameters
    ----------
    model : LeadModel
        What scores.
    name : str
        Of the list.
    leads : pyarrow.Table
        As `leadmodel.serving.files.read_list` returns it.
    progress : callable, optional
        Called with the share that is done and what is done next.
    tell : callable, optional
        Called with the typed leads and their answers; returns more columns of answers.

    Raises
    ------
    InputError
        If a field's column is lacking.
    LeadError
        If a value cannot be read; it names row, field and value.
    """
    progress(0.2, "Scoring")
    columns = match_columns(model.schema, leads.column_names)
    typed = _read(model.schema, leads, columns)
    answers = answer_columns(model, typed) | _reasons(model, typed, progress)
    answers |= tell(typed, answers)
    # Leads of one probability stay in the order they had.
    order = np.argsort(-answers["probability"].to_numpy(), kind="stable")
    table = append_answers(leads, answers)
    decision = model.config.decision
    ranked = RankedLeads(
        name=name,
        table=table.take(order),
        answers=dict(zip(answers, table.column_names[-len(answers) :], strict=True)),
        rows=order + 1,
        matches=_count(typed, columns),
        unused={
            column: model.schema.ignored.get(column, "")
            for column in leads.column_names
            if column not in columns.values()
        },
        decision=decision,
        places=decision.grade_places(answers["score"].to_numpy())[order],
        choices={
            name: values for option in model.options.values() for name, values in option.choices.items()
        },
        formats=model.formats,
    )
    return ranked.ranked_by("expected_value") if decision.is_by_value else ranked


def match_columns(schema: LeadSchema, columns: list[str]) -> dict[str, str]:
    """Return the column of each field that has one.

    A column of the field's own name goes first; else the one column whose name is that of the
    field, or its label, but for capitals, spaces and signs.
    """
    matched = {name: name for name in schema.by_name if name in columns}
    free = [column for column in columns if column not in matched]
    for name, field in schema.by_name.items():
        alike = [
            column for column in free if identifier(column) in (identifier(name), identifier(field.label))
        ]
        if name not in matched and len(alike) == 1:
            matched[name] = alike[0]
            free.remove(alike[0])
    return matched


def _read(schema: LeadSchema, leads: pa.Table, columns: dict[str, str]) -> LeadTable:
    own = {column: name for name, column in columns.items()}
    schema.check_columns([own.get(column, column) for column in leads.column_names])
    named = leads.select([columns[name] for name in schema.by_name]).rename_columns(list(schema.by_name))
    return read_columns(schema, named.to_pandas())


def _reasons(model: LeadModel, table: LeadTable, progress: Progress) -> dict[str, pa.Array]:
    """Return the strongest reason for and against of each lead."""
    pro, con = [], []
    for start in range(0, len(table), CHUNK):
        progress(0.3 + 0.6 * start / len(table), "Finding the reasons")
        part = table.take(np.arange(start, min(start + CHUNK, len(table))))
        contributions = model.predictor.predict(part, explain=True).contributions
        assert contributions is not None
        for explanation in explain(model.profile, part, contributions):
            pro.append(_first(explanation.reasons_for))
            con.append(_first(explanation.reasons_against))
    return {"reason_for": pa.array(pro, pa.string()), "reason_against": pa.array(con, pa.string())}


def _first(reasons: tuple[Reason, ...]) -> str | None:
    return reasons[0].sentence if reasons else None


def _count(table: LeadTable, columns: dict[str, str]) -> tuple[Match, ...]:
    """Return each field's column, and how many of its values are missing or unusual."""
    counts, missing = count_warnings(table), table.count_missing()
    return tuple(
        Match(
            field=name,
            label=field.label,
            column=columns[name],
            missing=missing[name],
            unseen=counts[name, "unseen"],
            out_of_range=counts[name, "out of range"],
        )
        for name, field in table.schema.by_name.items()
    )


def toggle_sort(
    ranked: RankedLeads, sorting: tuple[str | None, bool], column: str
) -> tuple[str | None, bool]:
    """Return the order after a column's name was pressed: chance, score and value begin with the best."""
    if column not in ranked.table.column_names:
        return None, False
    best_first = {ranked.answers.get(name) for name in BEST_FIRST}
    before, descending = sorting
    if before is None:
        before, descending = ranked.answers[ranked.ranking], True
    return (column, not descending) if column == before else (column, column in best_first)
