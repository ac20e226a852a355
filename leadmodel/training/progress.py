"""Measure how long the stages of a training run take, and show how far it is on a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from leadmodel.prepare.settings import TrainingSettings
from leadmodel.training.portfolio import count_fits

__all__ = ["Stopwatch", "progress_bar", "stage_table"]


class Stopwatch:
    """Measure the wall time of stages that follow each other.

    Attributes
    ----------
    seconds : dict of str to float
        Wall time by stage.
    """

    def __init__(self, seconds: dict[str, float] | None = None) -> None:
        self.seconds = dict(seconds or {})
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Add the time since the last lap to a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0) + now - self._last
        self._last = now


def stage_table(seconds: dict[str, float]) -> str:
    """Return the stages with their times and shares, as lines of text."""
    total = sum(seconds.values())
    rows = [*seconds.items(), ("all", total)]
    return "\n".join(f"  {stage:<20}{each:9.1f} s{each / total:7.0%}" for stage, each in rows)


@contextmanager
def progress_bar(
    settings: TrainingSettings | None = None, n_leads: int = 0
) -> Iterator[Callable[[str], None]]:
    """Show a progress bar on a terminal; yield the callback for each step.

    Parameters
    ----------
    settings : TrainingSettings, optional
        Of the run, to estimate the time left; not shown without them.
    n_leads : int
        Number of training leads.
    """
    costs, total = {}, None
    # A search for parameters ends with its time, whatever its number of fits.
    if settings is not None and not settings.tune_minutes:
        scaled = settings.for_leads(n_leads)
        costs = _step_costs(scaled, n_leads)
        total = _total_cost(scaled, n_leads, costs)
    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}" if total else None
    # The rate since the start, because the steps differ in kind: the last ones say little of the next ones.
    with tqdm(desc="training", unit=" steps", total=total, smoothing=0, bar_format=layout) as bar:

        def progress(step: str) -> None:
            bar.set_postfix_str(step)
            if total is None:
                bar.update()
                return
            cost = costs.get(step.split()[0], costs["other"])
            # Never beyond the total, for steps that only some leads need.
            bar.update(min(cost, total - bar.n))

        yield progress


OTHER_COST, OTHER_COST_OF_MANY = 2.6, 0.23
"""Mean time of the other models, the evaluation and the packaging, in fits of a fold: with 10,000 leads and
with 200,000, by the stages in benchmarks/RESULTS.md."""

N_OTHERS = 6


def _step_costs(settings: TrainingSettings, n_leads: int) -> dict[str, float]:
    """Return the time of steps by their first word, in fits of a fold."""
    # The final model has more trees, and learns from all leads.
    final = settings.refit_factor * settings.n_folds / (settings.n_folds - 1)
    other = OTHER_COST if n_leads < settings.large_from else OTHER_COST_OF_MANY
    return {"fold": 1.0, "setting": 1.0, "seed": 1.0, "model": final, "other": other}


def _total_cost(settings: TrainingSettings, n_leads: int, costs: dict[str, float]) -> float:
    n_settings = count_fits(settings.n_folds) if n_leads < settings.race_below else 0
    fits = settings.n_folds + n_settings + settings.n_members * costs["model"]
    return fits + N_OTHERS * costs["other"]
