"""A Hugging Face Hub on loopback, for the unmodified `huggingface_hub` client.

It answers the routes below and nothing else; anything else is a 501. So this list is also what the
product needs of a Hub. `{repo}` is `{models|datasets|spaces}/{namespace}/{name}`.

    GET     /api/whoami-v2                         whoami
    POST    /api/validate-yaml                     create_commit, when README.md is in it
    POST    /api/repos/create                      create_repo
    DELETE  /api/repos/delete                      delete_repo
    GET     /api/{repo}                            model_info, dataset_info, space_info
    GET     /api/{repo}/revision/{revision}        the same, at a revision
    GET     /api/{repo}/tree/{revision}[/{path}]   list_repo_tree, snapshot_download
    POST    /api/{repo}/paths-info/{revision}      get_paths_info, HfFileSystem
    GET     /api/{repo}/commits/{revision}         list_repo_commits
    GET     /api/{repo}/refs                       list_repo_refs
    POST    /api/{repo}/tag/{revision}             create_tag
    DELETE  /api/{repo}/tag/{tag}                  delete_tag
    POST    /api/{repo}/branch/{branch}            create_branch
    DELETE  /api/{repo}/branch/{branch}            delete_branch
    POST    /api/{repo}/preupload/{revision}       create_commit, first: regular or LFS
    POST    /{repo}.git/info/lfs/objects/batch     create_commit, second: where LFS files go
    PUT     /cdn/{sha256}                          create_commit, third: LFS contents
    POST    /api/{repo}/commit/{branch}            create_commit, last: the edits themselves
    HEAD    /{repo}/resolve/{revision}/{path}      hf_hub_download: commit, size and address
    GET     /{repo}/resolve/{revision}/{path}      hf_hub_download, HfFileSystem
    GET     /cdn/{sha256}                          hf_hub_download, HfFileSystem: LFS contents
    GET     /api/spaces/.../variables              get_space_variables; also POST and DELETE
    GET     /api/spaces/.../secrets                get_space_secrets; also POST and DELETE
    GET     /api/spaces/.../runtime                get_space_runtime
    POST    /api/spaces/.../restart                restart_space

In `/{repo}.git` and `/{repo}/resolve` the Hub leaves out `models/`. The `/cdn` routes are on a
second port (see `hub.file_routes`). The client must run with HF_HUB_DISABLE_XET=1, set before it is
imported: the hub speaks LFS, but not Xet.
"""

import socket
import threading
import time
from typing import Self

import uvicorn
from fastapi import FastAPI

from hub_server import file_routes, repository_routes, space_routes
from hub_server.errors import HubError, answer_hub_error, answer_not_spoken
from hub_server.faults import Fault, PlannedFault
from hub_server.front import ClosableProtocol, FrontDoor, Request
from hub_server.repositories import Account, HubContent, Kind, Quirks, Repository

LOOPBACK = "127.0.0.1"
# The server must not close idle connections: the client would take that for a failure.
KEEP_ALIVE_SECONDS = 3600
STOP_SECONDS = 2
START_SECONDS = 10


class LoopbackHub:
    """A Hub that lives as long as its `with` block, in a thread and in memory.

    Use it like this:

        with LoopbackHub() as hub:
            hub.add_token("writer", user="demo", write=True)
            HfApi(endpoint=hub.url, token="writer").create_repo("demo/leads")
            assert hub.repository("model", "demo/leads").commits[0].title == "initial commit"
    """

    def __init__(self) -> None:
        self._sockets = [bound_socket() for _ in ("hub", "cdn")]
        self.url, self.cdn_url = (f"http://{LOOPBACK}:{each.getsockname()[1]}" for each in self._sockets)
        self.content = HubContent(self.url, self.cdn_url)
        self._front = FrontDoor(routes(self.content))
        self._server = uvicorn.Server(server_config(self._front))
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,))

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("The hub did not start")
            time.sleep(0.005)
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server and its thread. From then on, connections to the hub are refused."""
        self._front.faults.clear()
        self._server.should_exit = True
        if self._thread.ident is None:
            for each in self._sockets:
                each.close()
        else:
            self._thread.join()

    def add_token(
        self, token: str, user: str, write: bool = False, organisations: tuple[str, ...] = ()
    ) -> None:
        """Lets a token in. It can read what is public or its user's, and write the latter."""
        self.content.accounts[token] = Account(user, write, organisations)

    def repository(self, kind: Kind, repository_id: str) -> Repository:
        return self.content.repositories[kind, repository_id]

    @property
    def quirks(self) -> Quirks:
        """How this hub differs from the usual one; tests may set them at will."""
        return self.content.quirks

    @property
    def requests(self) -> list[Request]:
        """All requests so far, those that met a fault included."""
        return self._front.requests

    def fail(self, method: str, part: str, fault: Fault, times: int | None = 1, skip: int = 0) -> None:
        """Plans a fault for coming requests of this method ("*" is any) with `part` in the path.

        It spares the first `skip` of them, strikes the next `times` (None is all), and is spent.
        """
        self._front.faults.add(PlannedFault(method, part, fault, times, skip))

    def heal(self) -> None:
        """Takes back all faults and quirks, and releases the requests that hang."""
        self._front.faults.clear()
        self.content.quirks = Quirks()


def bound_socket() -> socket.socket:
    """A free port on loopback.

    Were the protocol not named, asyncio would leave Nagle's delay on: 40 ms for some answers.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind((LOOPBACK, 0))
    return bound


def routes(content: HubContent) -> FastAPI:
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.content = content
    app.add_exception_handler(HubError, answer_hub_error)
    app.add_exception_handler(404, answer_not_spoken)
    app.add_exception_handler(405, answer_not_spoken)
    for module in (repository_routes, space_routes, file_routes):
        app.include_router(module.router)
    return app


def server_config(front: FrontDoor) -> uvicorn.Config:
    """A server without any log: planned failures are no news, and tests print nothing."""
    return uvicorn.Config(
        front,
        http=ClosableProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
