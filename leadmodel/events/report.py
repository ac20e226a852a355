"""What was read of the tables of events: rows that count, and rows that do not, each with the reason."""

import datetime as dt
from dataclasses import dataclass, field

__all__ = ["EventReport", "TableReport"]


@dataclass(frozen=True)
class TableReport:
    """What was read of one table.

    Attributes
    ----------
    table : str
        Its name.
    what : str
        What its rows are, as a plural.
    n_rows, n_kept : int
        Rows that the recipe asks for, and those of them that count.
    left_out, noted : dict of str to int
        Rows that do not count, and those that do but for something; by the words that say why.
    """

    table: str
    what: str
    n_rows: int
    n_kept: int
    left_out: dict[str, int] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return what to print of it."""
        rows = "" if self.n_rows == self.n_kept else f" of {self.n_rows:,} rows"
        told = {f"left out: {_listed(self.left_out)}": self.left_out, _listed(self.noted): self.noted}
        lines = [f"    {line}" for line, counts in told.items() if any(counts.values())]
        return [f"  {self.table}: {self.n_kept:,} {self.what}{rows}", *lines]


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {why}" for why, n in counts.items() if n)


@dataclass(frozen=True)
class EventReport:
    """What was read of all tables, and what became of the leads.

    Attributes
    ----------
    folder : str
        Where they are.
    until : datetime
        The last moment that they tell of, in UTC.
    tables : tuple of TableReport
        The tables in the order in which the recipe names them.
    leads : TableReport, optional
        Which leads there are, and which are none.
    """

    folder: str
    until: dt.datetime
    tables: tuple[TableReport, ...]
    leads: TableReport | None = None

    def summary(self) -> str:
        """Return the report as people read it."""
        reports = [*self.tables, *([self.leads] if self.leads else [])]
        heading = f"Read from {self.folder}, which tells of the time until {self.until:%Y-%m-%d %H:%M} UTC:"
        return "\n".join([heading, *(line for report in reports for line in report.lines())])
