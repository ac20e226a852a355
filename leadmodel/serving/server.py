"""One server for everything: the pages, their API, the Hub's webhook."""

import hmac
from collections.abc import Callable

import gradio as gr
import uvicorn
from fastapi import FastAPI, Header, HTTPException

from leadmodel.serving.direct import DirectCalls
from leadmodel.serving.endpoints import make_endpoints
from leadmodel.serving.pages import build_demo, looks
from leadmodel.serving.service import ScoringService

__all__ = ["build_app", "serve"]

WEBHOOK = "/webhooks/hub"


def build_app(
    service: ScoringService,
    *,
    webhook_secret: str | None = None,
    on_webhook: Callable[[], None] | None = None,
) -> FastAPI:
    """Build the application that answers for `service`.

    Parameters
    ----------
    service : ScoringService
        What answers.
    webhook_secret : str, optional
        The secret that the Hub sends with its webhook; without one there is no webhook.
    on_webhook : callable, optional
        Called when the Hub says that the repository has changed.
    """
    app = FastAPI(title="leadmodel", docs_url=None, redoc_url=None, openapi_url=None)
    if webhook_secret and on_webhook:
        _add_webhook(app, webhook_secret, on_webhook)
    app.add_middleware(DirectCalls, endpoints=make_endpoints(service))
    return gr.mount_gradio_app(app, build_demo(service), path="/", **looks())


def _add_webhook(app: FastAPI, secret: str, notify: Callable[[], None]) -> None:
    @app.post(WEBHOOK, status_code=202)
    def webhook(x_webhook_secret: str = Header(default="")) -> dict[str, str]:
        if not hmac.compare_digest(x_webhook_secret.encode(), secret.encode()):
            raise HTTPException(403, "The webhook's secret is wrong.")
        notify()
        return {"status": "looking"}


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve `app` until the process is told to stop."""
    # No access log: a query may hold a lead.
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
