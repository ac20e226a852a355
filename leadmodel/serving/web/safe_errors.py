"""Say what failed, never what a caller sent.

The message of an error may hold a lead, and libraries log and print the errors that they meet
whole. What is told here is the kind of an error and where it was raised.
"""

import logging
import sys
import traceback
from types import TracebackType

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SafeErrors", "SafeFormatter", "configure_logging", "describe"]

TRUSTED = {"leadmodel", "uvicorn", "huggingface_hub"}
"""Loggers whose messages hold no lead; of others, the log names the line that spoke."""

_log = logging.getLogger("leadmodel")


def describe(error: BaseException) -> str:
    """Return the kind of `error` and the lines that led to it, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join([f"{type(error).__module__}.{type(error).__qualname__}", *lines])


class SafeFormatter(logging.Formatter):
    """Format records without the messages of errors and of loggers that are not trusted."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one text."""
        if record.name.partition(".")[0] not in TRUSTED:
            said = {"msg": "(%s:%d)", "args": (record.pathname, record.lineno), "exc_text": None}
            record = logging.makeLogRecord(record.__dict__ | said)
        return super().format(record)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return the error as `describe` does."""
        return describe(ei[1]) if ei[1] else ""


class SafeErrors:
    """ASGI middleware: whatever fails inside is logged discreetly and answered with 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer it if that fails."""
        started = scope["type"] != "http"

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            _log.error("A request failed: %s", describe(error))
            if not started:
                told = {"detail": "Something went wrong here, not with your request. Try again later."}
                await JSONResponse(told, 500)(scope, receive, send)


def configure_logging() -> None:
    """Make this process log and print errors and warnings discreetly."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("leadmodel").setLevel(logging.INFO)
    logging.captureWarnings(True)
    # Gradio prints the error of whatever it fails to do, with all inputs of the call.
    traceback.print_exc = _log_current


def _log_current(*_: object, **__: object) -> None:
    if error := sys.exception():
        _log.error("A call failed: %s", describe(error))
