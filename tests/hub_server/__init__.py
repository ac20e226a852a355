"""A Hugging Face Hub on loopback, for tests; see `hub.server` for what it speaks."""

from hub_server.faults import Fault
from hub_server.repositories import Commit, Repository, StoredFile
from hub_server.server import LoopbackHub

__all__ = ["Commit", "Fault", "LoopbackHub", "Repository", "StoredFile"]
