"""The option of segments: clusters of leads, as the core asks for them."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats
from leadmodel.clusters.assignment import ClusterAssigner
from leadmodel.clusters.results import MAX_SEGMENTS, Clustering
from leadmodel.errors import ModelError
from leadmodel.leads.schema import LeadSchema
from leadmodel.options import EvaluationContext, FittedOption, Option, OptionEntry, Sha256
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.settings import TrainingSettings

__all__ = ["OPTION", "ClusterOption", "SegmentsFile"]


class SegmentsFile(OptionEntry):
    """The file that assigns leads to segments, and the segments' names in its order."""

    names: tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...] = Field(
        min_length=2, max_length=MAX_SEGMENTS
    )
    sha256: Sha256


class _FittedClusters(FittedOption):
    """Segments that were found in the training leads, if the data hold any."""

    def __init__(self, data: TrainingData, settings: TrainingSettings) -> None:
        # What only training needs takes long to import, and serving opens this module too.
        from leadmodel.clusters.fit import cluster_leads

        assert settings.segments is not None
        self.segments = cluster_leads(data.schema, data.train[0], settings.segments, settings.seed)
        self.pipeline = self.segments.pipeline

    def evaluate(self, context: EvaluationContext) -> Clustering:
        """Name and describe the segments; their outcomes are looked at here for the first time."""
        from leadmodel.clusters.describe import describe_segments

        return describe_segments(self.segments.found, self.segments.pipeline, context)

    def entry(self, result: Clustering, sha256: str | None) -> SegmentsFile | None:
        """Return the entry of config.json, unless the data hold no segments."""
        if sha256 is None:
            return None
        return SegmentsFile(names=tuple(segment.name for segment in result.segments), sha256=sha256)


class ClusterOption(Option):
    """Cluster leads by their features, where the settings ask for segments."""

    file = "segments.skops"
    entry, result = SegmentsFile, Clustering
    answer_fields: ClassVar[dict[str, Any]] = {"segment": str}
    categories: ClassVar[dict[str, str]] = {"segment": "Segment"}
    card, page = "clusters/card.md", "leadmodel.clusters.page"

    def check(self, data: TrainingData, settings: TrainingSettings) -> None:
        """Raise InputError unless there are enough training leads for so many segments."""
        from leadmodel.clusters.fit import check_segments

        if settings.segments is not None:
            check_segments(settings.segments, len(data.split.train))

    def fit(
        self,
        data: TrainingData,
        oof_probability: Floats,
        settings: TrainingSettings,
        progress: Callable[[str], None],
    ) -> FittedOption | None:
        """Look for segments by what describes the training leads, never by their outcomes."""
        if settings.segments is None:
            return None
        fitted = _FittedClusters(data, settings)
        progress("leads clustered")
        return fitted

    def open(
        self,
        schema: LeadSchema,
        entry: SegmentsFile | None,
        result: Clustering | None,
        pipeline: Pipeline | None,
    ) -> ClusterAssigner | None:
        """Return what assigns leads to segments."""
        if entry is None or pipeline is None:
            return None
        described = result.segments if result else ()
        if tuple(segment.name for segment in described) != entry.names:
            raise ModelError("metrics.json and config.json must be of one model. Their segments differ.")
        try:
            return ClusterAssigner(schema, pipeline, entry.names)
        except Exception as error:  # whatever a damaged file makes it raise, the file is to blame
            raise ModelError(f"{self.file} cannot be used: {error!s:.200}.") from None

    def summary(self, result: Any) -> Sequence[str]:
        """Return the segments with their sizes and conversion rates."""
        return [
            f"Segments: {result.summary()}",
            *(
                f"  {segment.train.count:7,} leads, {segment.train.rate:4.0%} converted: {segment.name}"
                for segment in result.segments
            ),
        ]


OPTION = ClusterOption()
