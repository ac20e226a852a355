"""Serve a lead model: a form for people, an API for programs, tools for assistants.

    leadmodel serve [FOLDER or USER/MODEL]

The argument takes precedence over LEADMODEL_REPO. All other settings are environment variables:

LEADMODEL_REPO            folder or repository of the model (default: model/; if that does not exist
                          yet, the synthetic sample is trained first)
LEADMODEL_REVISION        branch, tag or commit of the repository (default: the newest)
LEADMODEL_POLL            seconds between checks for a newer revision (default: 60; 0: never)
LEADMODEL_WEBHOOK_SECRET  secret of the Hub's webhook to /webhooks/hub, which checks at once
                          (default: no webhook)
LEADMODEL_AUTH            USER:PASSWORD[,USER2:PASSWORD2]: who may sign in (default: everybody may
                          use the app)
LEADMODEL_RATE            leads that one caller may have scored per minute (default: 0, no limit)
LEADMODEL_PROXY           number of proxies in front that append to X-Forwarded-For (default: 1 on a
                          Space, else 0)
LEADMODEL_HUB_PATIENCE    seconds that the Hub may stay silent before the cache takes its place
                          (default: 10; an app that looks for newer revisions starts from the cache
                          after half a second)
LEADMODEL_LOG             folder, or datasets/USER/NAME on the Hub, for a log of leads and answers
                          (default: none); the README says what it keeps of a lead
LEADMODEL_ORIGINS         other sites whose pages may call, such as https://crm.example,https://…
                          (default: none)
GRADIO_SERVER_NAME        address to listen on (default: 127.0.0.1; on a Space 0.0.0.0)
GRADIO_SERVER_PORT        port to listen on (default: 7860)
"""

import argparse
import os
import socket
import tempfile
from collections.abc import Sequence

# No telemetry; the Hub client's would also hold up the start for seconds when the Hub is silent.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from leadmodel.errors import InputError
from leadmodel.model import LeadModel
from leadmodel.monitoring.log.files import LogStore
from leadmodel.monitoring.log.log import PredictionLog
from leadmodel.publishing.files import is_folder
from leadmodel.publishing.hub.client import finish_calls
from leadmodel.publishing.hub.datasets import STOP_SECONDS
from leadmodel.serving.api.gradio import describe_mcp
from leadmodel.serving.reload import Updater
from leadmodel.serving.service import ScoringService
from leadmodel.serving.web.access import AccessPolicy, is_loopback
from leadmodel.serving.web.app import build_app, serve
from leadmodel.serving.web.safe_errors import configure_logging

DEFAULT_FOLDER = "model"

START_PATIENCE = 0.5
"""Seconds for the Hub where an app can start from the cache, and correct itself afterwards."""


def load_model(repository: str | None, revision: str | None, patience: float | None = None) -> LeadModel:
    """Open the model to serve; train one on the sample if none is named and none is there."""
    folder = DEFAULT_FOLDER
    if repository is None and not os.path.exists(folder):
        from leadmodel.cli import train  # takes seconds, and is needed only here

        # A Space may not write where its files are.
        if not os.access(".", os.W_OK):
            folder = os.path.join(tempfile.mkdtemp(prefix="leadmodel-"), DEFAULT_FOLDER)
        train.main(["--output", folder])
    return LeadModel.from_pretrained(repository or folder, revision, patience=patience)


def read_number(name: str, default: float) -> float:
    """Return a number from the environment."""
    text = os.environ.get(name, "")
    try:
        return float(text or default)
    except ValueError:
        raise InputError(f"{name} must be a number. Got {text!r} instead.") from None


def read_accounts() -> dict[str, str]:
    """Return passwords by user name from the environment."""
    accounts: dict[str, str] = {}
    text = os.environ.get("LEADMODEL_AUTH", "")
    for number, pair in enumerate(text.split(",") if text else [], 1):
        user, _, password = pair.strip().partition(":")
        if not user or not password or user in accounts:
            # The number of the entry, and not the entry: it holds a password.
            raise InputError(
                "LEADMODEL_AUTH must be USER:PASSWORD[,USER2:PASSWORD2], each user once and no comma in a "
                f"password. Entry {number} is not."
            )
        accounts[user] = password
    return accounts


def read_access_policy(host: str) -> AccessPolicy:
    """Return what callers of an app that listens on `host` must observe, from the environment."""
    origins = os.environ.get("LEADMODEL_ORIGINS", "").split(",")
    if space := os.environ.get("SPACE_HOST"):
        origins.append(f"https://{space}")  # its own pages, whatever its proxy sends as Host
    accounts, on_space = read_accounts(), "SPACE_ID" in os.environ
    n_proxies = max(0, int(read_number("LEADMODEL_PROXY", int(on_space))))
    return AccessPolicy(
        accounts=accounts,
        leads_per_minute=read_number("LEADMODEL_RATE", 0),
        n_proxies=n_proxies,
        origins=tuple(origin.strip().rstrip("/") for origin in origins if origin.strip()),
        # A page of any site could let its name point here; a proxy answers for its own names.
        only_own_hosts=is_loopback(host) and not accounts and not n_proxies,
        on_space=on_space,
    )


def check_free(host: str, port: int) -> None:
    """Raise InputError if something else listens there."""
    with socket.socket() as probe:
        # As uvicorn does: a connection that was closed just now must not count as a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"Cannot listen on {host}:{port} ({error.strerror}). Set GRADIO_SERVER_PORT to a free port."
            ) from None


def main(arguments: Sequence[str] | None = None, prog: str = "leadmodel serve") -> int:
    """Load the model and serve it until stopped."""
    parser = argparse.ArgumentParser(
        prog=prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repository", nargs="?", help="folder or repository of the model")
    options = parser.parse_args(arguments)
    configure_logging()
    repository = options.repository or os.environ.get("LEADMODEL_REPO")
    revision = os.environ.get("LEADMODEL_REVISION")
    # A Space's own proxy calls from outside its container.
    host = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1")
    port = int(read_number("GRADIO_SERVER_PORT", 7860))
    seconds, policy = read_number("LEADMODEL_POLL", 60), read_access_policy(host)
    check_free(host, port)  # before minutes of loading, not after

    repo_id = repository if repository and not is_folder(repository) else None
    patience = min(START_PATIENCE, read_number("LEADMODEL_HUB_PATIENCE", START_PATIENCE))
    model = load_model(repository or None, revision or None, patience if seconds > 0 else None)
    log_address = os.environ.get("LEADMODEL_LOG")
    log = PredictionLog(LogStore.of(log_address)) if log_address else None
    service = ScoringService(model, repo_id, log)
    updater = None
    # A folder has no other revisions. Without checks at intervals the webhook has nobody to call either.
    if repo_id and seconds > 0:
        updater = Updater(service, repo_id, revision or None, seconds)
        updater.start()
    app = build_app(
        service,
        policy,
        webhook_secret=os.environ.get("LEADMODEL_WEBHOOK_SECRET"),
        on_webhook=updater.check_now if updater else None,
    )
    address = f"http://{host}:{port}"
    print(f"{service.model.config.title}, revision {service.model.revision}: {address}")
    print(describe_mcp(address), flush=True)
    try:
        serve(app, host, port)
    finally:
        finish_calls(STOP_SECONDS)
        if log:
            log.close()
    return 0
