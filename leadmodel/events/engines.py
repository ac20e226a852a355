"""Support polars, DuckDB and PySpark through Narwhals."""

from typing import Any

from leadmodel.errors import InputError
from leadmodel.events.plan import INSTALL_ENGINES

try:
    import narwhals as nw
except ImportError:
    raise InputError(
        f"Tables of events need Narwhals and polars. Install them with: {INSTALL_ENGINES}"
    ) from None

__all__ = ["check_engine", "clock", "nw"]


def check_engine(*frames: Any) -> None:
    """Raise InputError unless all frames are of polars, of DuckDB or of PySpark."""
    engines = [frame.implementation for frame in frames]
    supported = all(e.is_polars() or e.is_duckdb() or e.is_spark_like() for e in engines)
    if not supported or len(set(engines)) > 1:
        names = " and ".join(engine.value for engine in engines)
        raise InputError(
            "Tables of events must be frames of one engine: polars, DuckDB or PySpark. "
            f"Got {names} instead."
        )


def clock(frame: Any, column: str) -> nw.Expr:
    """Return a time in microseconds since 1970, by the function of the engine."""
    time = nw.col(column)
    if frame.implementation.is_duckdb():
        return time.dt.total_microseconds()
    if frame.implementation.is_spark_like():
        return _from_calendar(time)
    return time.dt.timestamp("us")


def _from_calendar(time: nw.Expr) -> nw.Expr:
    """Compute microseconds from calendar fields; in Spark, instants depend on the session's time zone.

    Days are counted by the proleptic Gregorian calendar with years that begin in March, as in Howard
    Hinnant's "chrono-Compatible Low-Level Date Algorithms".
    """
    month, late = time.dt.month(), (time.dt.month() + 9) // 12
    year = time.dt.year() + late - 1
    leaps = year // 4 - year // 100 + year // 400
    days = year * 365 + leaps + (153 * (month + 9 - 12 * late) + 2) // 5 + time.dt.day() - 719_469
    seconds = (time.dt.hour() * 60 + time.dt.minute()) * 60 + time.dt.second()
    # A remainder has the sign of the time, which is negative before 1970.
    micros = (time.dt.microsecond() + 1_000_000) % 1_000_000
    return (days.cast(nw.Int64) * 86_400 + seconds) * 1_000_000 + micros
