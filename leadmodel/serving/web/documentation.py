"""The page that documents the REST API; it loads nothing from elsewhere."""

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

__all__ = ["add_documentation"]

FOLDER = "swagger"


def add_documentation(app: FastAPI) -> None:
    """Add /docs and the files of Swagger UI to the app."""
    # The package's own way names these files by whole addresses, which are wrong behind a proxy.
    app.mount(f"/{FOLDER}", StaticFiles(packages=[("fastapi_swagger", "resources")]))

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url=f"{FOLDER}/swagger-ui-bundle.js",
            swagger_css_url=f"{FOLDER}/swagger-ui.css",
            swagger_favicon_url=f"{FOLDER}/favicon-32x32.png",
        )
