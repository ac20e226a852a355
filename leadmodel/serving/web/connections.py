"""How a request arrives: its head within a time and a size."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["BoundedProtocol"]

MAX_HEAD, SECONDS = 64_000, 20.0
"""Bytes and seconds that address and headers of a request may take; whoever takes more is cut off."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which would wait for ever for the end of a request's head, and keep all of it."""

    _patience: asyncio.TimerHandle | None = None
    _n_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a request's head."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """Wait no longer: how long a body may take is for its reader to say."""
        self._stop()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless this head is too large."""
        super().data_received(data)
        if self._patience:
            self._n_bytes += len(data)
            if self._n_bytes > MAX_HEAD:
                self.transport.close()

    def _wait(self) -> None:
        self._stop()
        self._n_bytes = 0
        self._patience = self.loop.call_later(SECONDS, self.transport.close)

    def _stop(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None
