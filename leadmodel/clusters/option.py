"""The option of segments: clusters of leads, as the core asks for them."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints
from sklearn.pipeline import Pipeline

from leadmodel.arrays import Floats
from leadmodel.clusters.assignment import ClusterAssigner
from leadmodel.clusters.results import MAX_SEGMENTS, Clustering
from leadmodel.errors import ModelError
from leadmodel.leads.schema import LeadSchema
from leadmodel.options import FittedOption, Option, OptionEntry, Progress, Sha256
from leadmodel.prepare.data import TrainingData
from leadmodel.prepare.settings import TrainingSettings

__all__ = ["OPTION", "ClusterOption", "SegmentsFile"]


class SegmentsFile(OptionEntry):
    """The file that assigns leads to segments, and the segments' names in its order."""

    names: tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...] = Field(
        min_length=2, max_length=MAX_SEGMENTS
    )
    sha256: Sha256


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
        self, data: TrainingData, oof_probability: Floats, settings: TrainingSettings, progress: Progress
    ) -> FittedOption | None:
        """Look for segments by what describes the training leads, never by their outcomes."""
        if settings.segments is None:
            return None
        # What only training needs takes long to import, and serving opens this module too.
        from leadmodel.clusters.fit import cluster_leads

        segments = cluster_leads(data.schema, data.train[0], settings.segments, settings.seed)
        progress("leads clustered")
        return segments

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
