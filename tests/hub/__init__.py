"""A Hugging Face Hub on loopback, for tests; see `hub.server` for what it speaks."""

from hub.faults import Fault
from hub.repositories import Commit, Repository, StoredFile
from hub.server import LoopbackHub

__all__ = ["Commit", "Fault", "LoopbackHub", "Repository", "StoredFile"]
