"""Rank a list of leads: match its columns with the fields, score and explain it, put the best first."""

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
from leadmodel.explain.reasons import explain
from leadmodel.leads.convert import read_columns
from leadmodel.leads.table import LeadTable, count_warnings
from leadmodel.model import LeadModel

__all__ = ["Match", "Progress", "RankedLeads", "Ranking", "rank_list", "toggle_sort"]

# Leads explained between two updates of the progress bar.
CHUNK = 5000

Progress = Callable[[float, str], object]
OnScored = Callable[[LeadTable, Mapping[str, pa.Array]], Mapping[str, pa.Array]]
Ranking = Literal["probability", "expected_value"]

# Answers whose first sort is descending.
BEST_FIRST = ("probability", "score", "expected_value", "expected_amount")


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
        One for each field of the model.
    unused : dict of str to str
        Columns that the model does not use, with the reason where there is one.
    decision : Decision
        The rule that turned probabilities into scores, grades and decisions.
    grade_index : array of shape (n_leads,)
        The index of each lead's grade in `bands`.
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
    grade_index: Positions
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
            grade_index=self.grade_index[order],
            ranking=ranking,
        )

    def answer(self, name: str) -> pa.ChunkedArray:
        """Return an answer of each lead."""
        return self.table[self.answers[name]]

    def count(self, grade: str) -> int:
        """Return how many leads have that grade."""
        return int(np.sum(self.grade_index == self.bands.index(grade)))

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
        """Return the positions of the leads with these grades, best first or by a column.

        Given `choices`, of the leads alone whose answers of these names are among the values.

        Missing values come last; leads of equal value stay best first.
        """
        selected = [index for index, grade in enumerate(self.bands) if grade in grades]
        mask = np.isin(self.grade_index, selected)
        for name, values in (choices or {}).items():
            mask &= self.answer(name).to_pandas().isin(values).to_numpy()
        chosen = np.flatnonzero(mask)
        if column is None:
            return chosen
        cells = self.table[column].to_pandas().iloc[chosen]
        # A column of texts that are all numbers goes by size.
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
    on_scored: OnScored = lambda typed, answers: {},
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
    on_scored : callable, optional
        Called with the typed leads and their answers; returns more columns of answers.

    Raises
    ------
    InputError
        If a field's column is lacking.
    LeadError
        If a value cannot be read; it names row, field and value.
    """
    progress(0.2, "Scoring")
    columns = model.schema.match_columns(leads.column_names)
    typed = read_columns(model.schema, leads.select(list(columns.values())).to_pandas())
    answers = answer_columns(model, typed) | _reasons(model, typed, progress)
    answers |= on_scored(typed, answers)
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
        grade_index=decision.grade_places(answers["score"].to_numpy())[order],
        choices={
            name: values for option in model.options.values() for name, values in option.choices.items()
        },
        formats=model.formats,
    )
    return ranked.ranked_by("expected_value") if decision.is_by_value else ranked


def _reasons(model: LeadModel, table: LeadTable, progress: Progress) -> dict[str, pa.Array]:
    """Return the strongest reason for and against of each lead."""
    # The reasons of all leads at once would take memory for 50,000 times the number of fields.
    reasons_for, reasons_against = [], []
    for start in range(0, len(table), CHUNK):
        progress(0.3 + 0.6 * start / len(table), "Finding the reasons")
        part = table.take(np.arange(start, min(start + CHUNK, len(table))))
        contributions = model.predictor.predict(part, explain=True).contributions
        assert contributions is not None
        for explanation in explain(model.profile, part, contributions):
            reasons_for.append(next((reason.sentence for reason in explanation.reasons_for), None))
            reasons_against.append(next((reason.sentence for reason in explanation.reasons_against), None))
    return {
        "reason_for": pa.array(reasons_for, pa.string()),
        "reason_against": pa.array(reasons_against, pa.string()),
    }


def _count(table: LeadTable, columns: dict[str, str]) -> tuple[Match, ...]:
    """Return each field's column, and how many of its values are missing or unusual."""
    counts, missing = count_warnings(table), table.count_missing()
    for source, fields in table.schema.sources.items():
        # Of a raw column, what is missing is what nothing could be derived from.
        missing.setdefault(source, min(missing[field.name] for field in fields))
    return tuple(
        Match(
            field=name,
            label=field.label,
            column=columns[name],
            missing=missing[name],
            unseen=counts[name, "unseen"],
            out_of_range=counts[name, "out of range"],
        )
        for name, field in table.schema.inputs.items()
        if name in columns and name in missing
    )


def toggle_sort(
    ranked: RankedLeads, sorting: tuple[str | None, bool], column: str
) -> tuple[str | None, bool]:
    """Return the column and direction of the order after a click on a column heading."""
    if column not in ranked.table.column_names:
        return None, False
    # Where high is good, the first click puts the best on top.
    best_first = {ranked.answers.get(name) for name in BEST_FIRST}
    before, descending = sorting
    if before is None:
        before, descending = ranked.answers[ranked.ranking], True
    return (column, not descending) if column == before else (column, column in best_first)
