"""Build one server for everything: pages, APIs, tools, metrics, the webhook of the Hub."""

import hmac
import signal
import sys
from collections.abc import Callable

import gradio as gr
import uvicorn
from fastapi import FastAPI, Header, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from leadmodel.serving.api.gradio import has_mcp, keep_to_tools
from leadmodel.serving.api.rest import add_rest
from leadmodel.serving.service import ScoringService
from leadmodel.serving.ui.app import build_demo, looks
from leadmodel.serving.web.access import AccessMiddleware, AccessPolicy
from leadmodel.serving.web.bounds import BoundedProtocol
from leadmodel.serving.web.file_paths import UploadedFilesOnly
from leadmodel.serving.web.headers import SafeHeaders
from leadmodel.serving.web.prometheus import Metrics, MetricsMiddleware, add_metrics
from leadmodel.serving.web.safe_errors import RefusalStatus, SafeErrors, add_refusals, check_calls
from leadmodel.serving.web.signin import SignIn, add_sign_in

__all__ = ["build_app", "serve"]


def build_app(
    service: ScoringService,
    policy: AccessPolicy | None = None,
    *,
    webhook_secret: str | None = None,
    on_webhook: Callable[[], None] | None = None,
) -> FastAPI:
    """Build the application that answers for `service`.

    Parameters
    ----------
    service : ScoringService
        What answers.
    policy : AccessPolicy, optional
        What callers must observe; by default nothing but the limit of a request's size.
    webhook_secret : str, optional
        The secret that the Hub sends with its webhook; without one there is no webhook.
    on_webhook : callable, optional
        Called when the Hub says that the repository has changed.
    """
    policy = policy or AccessPolicy()
    # FastAPI's own page of the documentation loads its scripts from another site.
    app = FastAPI(title="leadmodel", docs_url=None, redoc_url=None)
    metrics, sign_in = Metrics(service), SignIn(policy.accounts) if policy.accounts else None
    add_rest(app, service)
    _add_documentation(app)
    add_metrics(app, metrics)
    if sign_in:
        add_sign_in(app, sign_in)
    if webhook_secret and on_webhook:
        _add_webhook(app, webhook_secret, on_webhook)
    # From the inside out: the last one added meets a request first. The body is checked only after
    # access is granted, and every answer gets its headers and is counted, refusals and errors as well.
    app.add_middleware(RefusalStatus)
    app.add_middleware(UploadedFilesOnly)
    app.add_middleware(AccessMiddleware, policy=policy, sign_in=sign_in)
    # With a CORSMiddleware here Gradio adds none of its own, which would let every site in.
    app.add_middleware(
        CORSMiddleware, allow_origins=policy.origins, allow_methods=["GET", "POST"], allow_headers=["*"]
    )
    app.add_middleware(SafeErrors)
    app.add_middleware(SafeHeaders, framers=policy.origins, on_space=policy.on_space)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    return _mount(app, build_demo(service))


def _mount(app: FastAPI, demo: gr.Blocks) -> FastAPI:
    # Gradio 6.31 checks which files a request may name only once its Blocks have been launched, and
    # mounting does not count as that: without this line every file of the machine can be read.
    demo.has_launched = True
    check_calls(demo)
    app = gr.mount_gradio_app(app, demo, path="/", mcp_server=has_mcp(), **looks())
    if demo.mcp_server:
        keep_to_tools(demo)
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            add_refusals(route.app)
    return app


def _add_documentation(app: FastAPI) -> None:
    # The function of the package `fastapi_swagger` links its files by absolute addresses, which are wrong
    # behind a proxy that serves the app below a path.
    app.mount("/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url="swagger/swagger-ui-bundle.js",
            swagger_css_url="swagger/swagger-ui.css",
            swagger_favicon_url="swagger/favicon-32x32.png",
        )


def _add_webhook(app: FastAPI, secret: str, notify: Callable[[], None]) -> None:
    @app.post("/webhooks/hub", status_code=202)
    def webhook(x_webhook_secret: str = Header(default="")) -> dict[str, str]:
        # In constant time: the time of a plain comparison would give the secret away letter by letter.
        if not hmac.compare_digest(x_webhook_secret.encode(), secret.encode()):
            raise HTTPException(403, "The webhook's secret is wrong.")
        notify()
        return {"status": "looking"}


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve `app` until the process is told to stop, then return or raise SystemExit."""

    def leave(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the cleanup
        sys.exit()

    # uvicorn raises the signal that stopped it again at its end. Python's default for SIGTERM would then
    # end the process at once, before the caller has closed the log.
    signal.signal(signal.SIGTERM, leave)
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        log_config=None,
        log_level="warning",
        access_log=False,  # a query may hold a lead
        proxy_headers=False,  # `caller_address` knows which of a proxy's headers to trust
        # An open page keeps a connection; answers under way take milliseconds.
        timeout_graceful_shutdown=3,
    )
