"""Count what the app does, for Prometheus and the log: never a value of a lead."""

import threading
import time
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterator
from datetime import UTC, datetime
from math import inf

import pyarrow as pa
from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, InfoMetricFamily, Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadmodel.monitoring.log.log import ScoredCall
from leadmodel.serving.service import ScoringService

__all__ = ["Metrics", "MetricsMiddleware", "add_metrics"]

_PATHS = {"/", "/api/v1/score", "/api/v1/schema", "/api/v1/model", "/health", "/metrics", "/docs"}
_PATHS |= {"/openapi.json", "/login", "/logout", "/webhooks/hub"}
_GRADIO = {f"/gradio_api/{name}" for name in ("run", "call", "queue", "mcp", "info", "heartbeat", "upload")}
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counters of one app, in a registry of their own, and a collector of what changes by itself.

    Parameters
    ----------
    service : ScoringService
        Whose answers are counted, and whose model is named.
    """

    def __init__(self, service: ScoringService) -> None:
        self.registry = CollectorRegistry()
        self.calls = Counter("leadmodel_requests", "Requests", ["route", "status"], registry=self.registry)
        self.seconds = Histogram(
            "leadmodel_request_seconds",
            "Time to the beginning of the answer",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.leads = Counter("leadmodel_leads", "Leads scored", ["grade"], registry=self.registry)
        self.service = service
        self.registry.register(self)
        service.listeners.append(self.count)
        # The log takes its own counts, which start anew each time; Prometheus wants them to grow.
        self._lock, self._since = threading.Lock(), Tally[tuple[str, int, float]]()
        if service.log:
            service.log.count_requests = self.take_requests

    def collect(self) -> Iterator[Metric]:
        """Name the served model, which may be replaced, and count what became of leads to be logged."""
        model, log = self.service.model, self.service.log
        names = {"revision": model.revision, "title": model.config.title}
        yield InfoMetricFamily("leadmodel_model", "The model that serves", value=names)
        if log:
            leads = CounterMetricFamily("leadmodel_log_leads", "Leads by what the log did", labels=["fate"])
            leads.add_metric(["logged"], log.n_logged)
            leads.add_metric(["dropped"], log.n_dropped)
            yield leads

    def count(self, call: ScoredCall) -> None:
        """Count the leads by grade."""
        for grade, n_leads in Tally(call.grades).items():
            self.leads.labels(grade).inc(n_leads)

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Count one request."""
        route = _route(path)
        self.calls.labels(route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)
        upper_edge = (*_SECONDS, inf)[bisect_left(_SECONDS, seconds)]
        with self._lock:
            self._since[route, status, upper_edge] += 1

    def take_requests(self) -> pa.Table | None:
        """Return the number of requests by route, status and upper bound of seconds since the last call."""
        with self._lock:
            counts, self._since = self._since, Tally()
        if not counts:
            return None
        route, status, seconds = zip(*counts, strict=True)
        return pa.table(
            {
                "time": pa.array([datetime.now(UTC)] * len(counts), pa.timestamp("ms", "UTC")),
                "route": pa.array(route, pa.string()),
                "status": pa.array(status, pa.int16()),
                "seconds": pa.array(seconds, pa.float64()),
                "requests": pa.array(counts.values(), pa.int64()),
            }
        )


class MetricsMiddleware:
    """ASGI middleware that counts and times requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it when its answer begins."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, path = time.perf_counter(), scope["path"]

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.metrics.observe(path, message["status"], time.perf_counter() - started)
            await send(message)

        await self.app(scope, receive, observe)


def add_metrics(app: FastAPI, metrics: Metrics) -> None:
    """Add /metrics to the app."""

    @app.get("/metrics", include_in_schema=False)
    def show() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _route(path: str) -> str:
    # Anybody can ask for any path, and each label costs memory for as long as the app runs.
    if path in _PATHS:
        return path
    gradio = "/".join(path.split("/", 3)[:3])
    return gradio if gradio in _GRADIO else "other"
