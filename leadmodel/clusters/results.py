"""Segments of the leads and what was measured of them: part of metrics.json, aggregates only."""

from pydantic import Field

from leadmodel.insights.conversion import wilson
from leadmodel.insights.profile import Cell
from leadmodel.metrics.classification import Estimate
from leadmodel.records import Record

__all__ = [
    "MAX_SEGMENTS",
    "MIN_GAIN",
    "MIN_STABILITY",
    "Clustering",
    "Grouping",
    "Map",
    "Segment",
    "Spot",
    "Trait",
]

MAX_SEGMENTS = 20
"""More are no kinds of leads that a team could keep in mind."""

MIN_STABILITY = 0.8
"""Mean adjusted Rand index (Hubert and Arabie 1985) of groupings of the same leads, at least."""

MIN_GAIN = 0.05
"""Silhouette beyond that of the same fields shuffled, at least: these hold no groups, and k-means
cuts them up all the same, often the same way each time."""


class Grouping(Record):
    """What one way to group the leads is worth.

    Parameters
    ----------
    method : str
        What people call it.
    n_groups : int
        Groups that it was asked for, or found.
    silhouette : float
        Mean silhouette width (Rousseeuw 1987) of the grouped leads, -1 to 1.
    davies_bouldin : float
        Davies-Bouldin index (1979); lower is better.
    stability : float
        Mean adjusted Rand index of the groupings of the same leads by fits on resamples.
    shuffled : float, optional
        Mean silhouette where each field was shuffled by itself; only where it was looked at.
    smallest : float
        Share of the leads in the smallest group.
    left_over : float
        Share of the leads that the method puts into no group.
    assigns : bool
        Whether the method can tell the group of a lead that it has not seen.
    """

    method: str
    n_groups: int
    silhouette: float
    davies_bouldin: float
    stability: float
    shuffled: float | None = None
    smallest: float
    left_over: float = 0.0
    assigns: bool = True

    @property
    def gain(self) -> float:
        """Silhouette beyond that of the shuffled fields."""
        return self.silhouette - (self.shuffled or 0.0)


class Trait(Record):
    """One thing that sets a segment apart from all leads.

    Parameters
    ----------
    field : str
        Its name.
    value : str
        A choice of the field, "high", "low", "Yes", "No" or "not given".
    here, everywhere : float
        Share with that value among the leads of the segment and among all; for "high" and "low"
        the medians.
    difference : float
        How far the distributions lie apart, 0 to 1: the difference of the shares, or the largest
        one of two cumulative distributions (Kolmogorov-Smirnov).
    """

    field: str
    value: str
    here: float
    everywhere: float
    difference: float

    @property
    def is_level(self) -> bool:
        """Whether the trait is a number that is high or low."""
        return self.value in ("high", "low")


class Segment(Record):
    """One kind of leads.

    Parameters
    ----------
    name : str
        Made of what sets it apart; no two alike.
    description : tuple of str
        What sets it apart, in sentences.
    traits : tuple of Trait
        The same in numbers, the strongest first.
    train, test : Cell
        Training and test leads in it, and those of them that converted.
    grades : dict of str to int
        Test leads in it by grade.
    reasons : dict of str to float
        Mean absolute contribution to the log-odds of its leads by field name, the largest first.
    place : tuple of float
        Where its centre lies on the map.
    value : float, optional
        Mean expected value of its test leads, if the model tells what leads are worth.
    """

    name: str
    description: tuple[str, ...]
    traits: tuple[Trait, ...]
    train: Cell
    test: Cell
    grades: dict[str, int]
    reasons: dict[str, float]
    place: tuple[float, float]
    value: float | None = Field(default=None, exclude_if=lambda value: value is None)

    @property
    def conversion(self) -> tuple[Estimate, Estimate | None]:
        """The shares of training and of test leads that converted, with 95 % intervals."""
        return wilson(self.train), wilson(self.test) if self.test.count else None


class Spot(Record):
    """The training leads of one segment in one square of the map; never a few."""

    column: int = Field(ge=0)
    row: int = Field(ge=0)
    segment: int = Field(ge=0)
    leads: Cell


class Map(Record):
    """The training leads as squares of a plane in which the segments lie far apart.

    Parameters
    ----------
    n_columns, n_rows : int
        Squares; the places of the segments are measured in them, from the lower left corner.
    spots : tuple of Spot
        The squares with enough leads.
    hidden : int
        Leads in the other squares.
    """

    n_columns: int
    n_rows: int
    spots: tuple[Spot, ...]
    hidden: int


class Clustering(Record):
    """The search for segments, and those that were found.

    Parameters
    ----------
    asked : str
        The number that was asked for, or "auto".
    n_leads : int
        Training leads that the segments were looked for in.
    n_fits : int
        Resamples that the stability comes from.
    tried : tuple of Grouping
        K-means by number of groups.
    others : tuple of Grouping
        Other methods beside the k-means that came out best, for comparison.
    segments : tuple of Segment
        None where the data hold no stable groups.
    map : Map, optional
        Where the segments lie.
    seconds : float
        Wall time of the search.
    """

    asked: str
    n_leads: int
    n_fits: int
    tried: tuple[Grouping, ...]
    others: tuple[Grouping, ...] = ()
    segments: tuple[Segment, ...] = ()
    map: Map | None = None
    seconds: float

    def chosen(self) -> Grouping | None:
        """Return the grouping that the segments are of."""
        return next((one for one in self.tried if one.n_groups == len(self.segments)), None)

    def summary(self) -> str:
        """Return what was found, in a sentence."""
        if not self.tried:
            return "none: there are too few leads, or no associated fields."
        best, found = self.chosen() or self._nearest(), f"{len(self.segments)} segments were found"
        if not self.segments:
            asked = ", ".join(str(one.n_groups) for one in self.tried)
            found = f"no stable segments were found. Tried: {asked}; the best is "
            found += str(best.n_groups)
        return (
            f"{found}. Fits on {self.n_fits} resamples agree with an adjusted Rand index of "
            f"{best.stability:.2f} (required: {MIN_STABILITY}); the silhouette is {best.silhouette:.2f}, "
            f"with shuffled fields {best.shuffled or 0:.2f} (required difference: {MIN_GAIN}); the "
            f"Davies-Bouldin index is {best.davies_bouldin:.2f}, and {best.smallest:.0%} of "
            f"{self.n_leads:,} leads are in the smallest group."
        )

    def _nearest(self) -> Grouping:
        """Return the grouping that came nearest to being one."""
        return max(self.tried, key=lambda one: (one.stability >= MIN_STABILITY, one.gain))
