"""The limits of every call to the Hub; their hang-guard is the timeout of the test run."""

import socket

import httpx2
import pytest
from hub_server import Fault, LoopbackHub
from huggingface_hub import HfApi
from huggingface_hub.utils import get_session
from support import command

from leadmodel.errors import InputError
from leadmodel.leads.io import read_table
from leadmodel.model import LeadModel
from leadmodel.monitoring.deployment import go_back
from leadmodel.publishing.hub.client import HubError, limits, patience, writing
from leadmodel.publishing.hub.push import HubRepository

REPO = "demo/leads"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short enough not to wait for long, and long enough for a busy machine to answer."""
    monkeypatch.setenv("LEADMODEL_HUB_PATIENCE", "2")


SILENT = "nothing came for 2 seconds"


@pytest.mark.parametrize(
    "part", ["/whoami", "/revision/main", "/commits/", "/refs", "/preupload/", "/cdn/", "/commit/"]
)
def test_a_push_to_a_hub_that_falls_silent_ends(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel, impatient: None, part: str
) -> None:
    model.push_to_hub(REPO)
    hub.fail("*", part, Fault.silent(), times=None)
    with pytest.raises(InputError, match=SILENT):
        second_model.push_to_hub(REPO)


@pytest.mark.parametrize("part", ["/whoami", "/revision/", "/refs", "/resolve/", ""])
def test_a_rollback_on_a_hub_that_falls_silent_ends_and_takes_nothing_from_the_cache(
    hub: LoopbackHub, model: LeadModel, second_model: LeadModel, impatient: None, part: str
) -> None:
    model.push_to_hub(REPO)
    second_model.push_to_hub(REPO)
    if part != "/resolve/":
        LeadModel.from_pretrained(REPO, "v1")
    hub.fail("*", part, Fault.silent(), times=None)
    with pytest.raises(InputError, match=SILENT):
        go_back(REPO)
    hub.heal()
    assert len(hub.repository("model", REPO).commits) == 3


def test_a_hub_that_accepts_no_connection_is_not_waited_for(hub: LoopbackHub, impatient: None) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(httpx2.TransportError, match=SILENT):
            get_session().get(f"http://127.0.0.1:{full.getsockname()[1]}")


def test_a_call_of_many_requests_ends_as_a_whole(hub: LoopbackHub) -> None:
    hub.fail("*", "", Fault.slow(0.1), times=None)
    with pytest.raises(HubError, match="took too long"), limits(seconds=1), writing(REPO):
        while True:
            HfApi().whoami()


def test_an_answer_that_trickles_ends_too(hub: LoopbackHub) -> None:
    hub.fail("GET", "/whoami", Fault.trickle(), times=None)
    with pytest.raises(HubError, match="took too long"), limits(seconds=1), writing(REPO):
        HfApi().whoami()


def test_a_hub_that_says_come_back_in_an_hour_is_not_waited_for(hub: LoopbackHub, model: LeadModel) -> None:
    destination = HubRepository(REPO)
    hub.fail("POST", "/preupload/", Fault.status(429, retry_after=3600), times=None)
    with pytest.raises(HubError, match="asks to come back in 3600 seconds"):
        destination.publish(model.files, "mine")


def test_leads_on_a_silent_hub_are_not_waited_for(hub: LoopbackHub, impatient: None) -> None:
    HfApi().create_repo("demo/silent", repo_type="dataset")
    hub.fail("*", "", Fault.silent(), times=None)
    with pytest.raises(InputError, match=SILENT):
        read_table("hf://datasets/demo/silent/leads.csv")


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan"])
def test_patience_is_a_number_of_seconds(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LEADMODEL_HUB_PATIENCE", text)
    with pytest.raises(InputError, match=f"must be a number of seconds above 0. Got '{text}'"):
        patience()


def test_patience_is_10_seconds_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEADMODEL_HUB_PATIENCE", raising=False)
    assert patience() == 10


OWN_CLIENT = """
import httpx2, sys
from huggingface_hub import set_client_factory
from huggingface_hub.utils import get_session
set_client_factory(lambda: httpx2.Client(headers={"X-Proxy": "mine"}))
import leadmodel.model
assert get_session().headers["X-Proxy"] == "mine"
try:
    get_session().get(sys.argv[1] + "/api/whoami-v2")
except httpx2.TransportError as error:
    print(error)
"""


def test_a_client_of_ones_own_keeps_its_settings_and_gets_the_limits(hub: LoopbackHub) -> None:
    hub.fail("*", "/whoami", Fault.silent(), times=None)
    done = command("-c", OWN_CLIENT, hub.url, LEADMODEL_HUB_PATIENCE="2")
    assert (done.stdout.strip(), done.stderr) == (SILENT, "")


ENDING = """
import threading
from huggingface_hub import HfApi
from leadmodel.publishing.hub.client import HubError, finish_calls, writing

def ask():
    try:
        with writing("demo/leads"):
            while True:
                HfApi().whoami()
    except HubError as error:
        print(error)

thread = threading.Thread(target=ask)
thread.start()
finish_calls(2)
thread.join()
"""


def test_a_process_that_ends_does_not_wait_for_what_other_threads_ask_of_a_slow_hub(
    hub: LoopbackHub,
) -> None:
    hub.fail("*", "/whoami", Fault.slow(0.2), times=None)
    done = command("-c", ENDING)
    assert "it took too long" in done.stdout
    assert done.stderr == ""
