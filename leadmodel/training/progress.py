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
    costs = {} if settings is None or settings.tune_minutes else _step_costs(settings.for_leads(n_leads))
    total = _total_cost(settings.for_leads(n_leads), n_leads, costs) if settings and costs else None
    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}" if total else None
    # The rate since the start, because the steps differ in kind: the last ones say little of the next ones.
    with tqdm(desc="training", unit=" steps", total=total, smoothing=0, bar_format=layout) as bar:

        def progress(step: str) -> None:
            bar.set_postfix_str(step)
            cost = costs.get(step.split()[0], OTHER_COST) if total else 1
            # Never beyond the total, for steps that only some leads need.
            bar.update(cost if total is None else min(cost, total - bar.n))

        yield progress


OTHER_COST = 0.2
"""Time of a step that does not fit CatBoost, in fits of a fold; measured with 5,000 leads."""


def _step_costs(settings: TrainingSettings) -> dict[str, float]:
    """Return the time of steps by their first word, in fits of a fold."""
    # The final model has more trees, and learns from all leads.
    final = settings.refit_factor * settings.n_folds / (settings.n_folds - 1)
    return {"fold": 1.0, "setting": 1.0, "seed": 1.0, "model": final}


def _total_cost(settings: TrainingSettings, n_leads: int, costs: dict[str, float]) -> float:
    n_settings = count_fits(settings.n_folds) if n_leads < settings.race_below else 0
    n_others = 6  # four other models, the evaluation and the package
    fits = settings.n_folds + n_settings + settings.n_members * costs["model"]
    return fits + n_others * OTHER_COST
