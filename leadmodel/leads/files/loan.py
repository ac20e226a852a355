"""Lend a file to Arrow, and have it back before the interpreter may end."""

import codecs
import io
import time
import weakref
from traceback import clear_frames
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa

__all__ = ["Loan"]

PATIENCE = 60.0
"""Seconds for a read that has begun, which may be from afar, to end."""


class Loan:
    """A binary file that Arrow reads within a ``with`` block.

    Arrow's threads read ahead. Each takes Python's lock to read a block and to drop it, also after
    an error has ended the reading; if the interpreter is ending by then, that aborts the process. So
    the block is left only after Arrow has dropped the file and all that it has read of it. Readers
    must be gone before: hold them in no variable of the block itself.

    Parameters
    ----------
    file : binary file
        What to read. It stays open.
    encoding : str
        Of its text. Arrow is given UTF-8.

    Raises
    ------
    Exception
        At the end of the block: what reading the file has raised in one of Arrow's threads.
    """

    def __init__(self, file: IO[bytes], encoding: str = "utf-8") -> None:
        self._file, self._is_over = file, False
        self._decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
        self._decoded = b""
        self._error: Exception | None = None
        self._lent: list[weakref.ref[Any]] = []

    def open(self) -> pa.PythonFile:
        """Return the file as Arrow takes it."""
        return pa.PythonFile(self._watch(_Handle(self)), mode="r")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        clear_frames(trace)  # where Arrow refuses to open a file, they still hold it
        deadline = time.monotonic() + PATIENCE
        while any(lent() is not None for lent in self._lent) and time.monotonic() < deadline:
            time.sleep(0.001)
        if self._error:
            raise self._error

    def _watch(self, lent: Any) -> Any:
        self._lent.append(weakref.ref(lent))
        return lent

    def read(self, size: int) -> pa.Buffer:
        """Return the next bytes, none at the end of the file, of the loan, or after an error."""
        content = b""
        if not (self._is_over or self._error):
            try:
                content = self._file.read(size) if self._decoder is None else self._decode(size)
            except Exception as error:  # raised here it would stay with a thread of Arrow's
                self._error = error
        return self._watch(pa.py_buffer(content))

    def _decode(self, size: int) -> bytes:
        assert self._decoder is not None
        raw = b"more"
        while raw and len(self._decoded) < size:
            raw = self._file.read(size)
            self._decoded += self._decoder.decode(raw, final=not raw).encode()
        content, self._decoded = self._decoded[:size], self._decoded[size:]
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place in the file."""
        return 0 if self._is_over else self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return 0 if self._is_over else self._file.tell()


class _Handle:
    """What Arrow holds: it is gone when Arrow is done."""

    closed = False

    def __init__(self, loan: Loan) -> None:
        self.read, self.seek, self.tell = loan.read, loan.seek, loan.tell

    def close(self) -> None:
        """Leave the file open, for it is not Arrow's."""
