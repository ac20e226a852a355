"""Make the leads of one moment from tables of events, and write them to a file."""

import datetime as dt
from pathlib import Path

from leadmodel.atomic import write_leads
from leadmodel.events.windows import check_engines
from leadmodel.leads.event_recipe import EventConfig

__all__ = ["write_open_leads"]


def write_open_leads(
    folder: str | Path, config: EventConfig, output: str | Path, at: str | None = None
) -> tuple[str, int, dt.datetime]:
    """Make the leads to score at a moment, and write them as CSV or Parquet.

    Parameters
    ----------
    folder : str or Path
        Folder of the tables, or the file of the only one.
    config : EventConfig
        The ``[events]`` of the recipe.
    output : str or Path
        Ends in .csv or .parquet.
    at : str, optional
        A date or a time, from which on events are ignored; by default right after the tables' newest row.

    Returns
    -------
    str
        Report of what was read and left out.
    int
        Number of leads.
    datetime
        The moment, in UTC.

    Raises
    ------
    InputError
        If a package is missing, the tables cannot be read, or there is no lead.
    """
    check_engines()
    from leadmodel.events.dataset import TICK, open_leads
    from leadmodel.events.tables import read_event_tables
    from leadmodel.events.timestamps import read_moment

    moment = None if at is None else read_moment(at)
    with read_event_tables(folder, config) as tables:
        moment = moment or tables.report.until + TICK
        leads, report = open_leads(tables, config, moment)
    write_leads(leads, output)
    return report.summary(), len(leads), moment
