"""Tell browsers where the page of an answer may load from, call to, and be shown."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SafeHeaders"]

# Shows each Space in a frame; the script of its bar above the app asks it whose Space it is.
HUB = "https://huggingface.co"

_POLICY = {
    "default-src": "'self'",
    # Gradio writes scripts and styles into its page, and makes functions of the events' scripts.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}

_JSON = (b"content-type", b"application/json")


class SafeHeaders:
    """ASGI middleware that keeps a page to its own site, and other sites from showing it.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    framers : tuple of str
        Sites such as "https://crm.example" that may show the app in a frame.
    on_space : bool
        The Hub shows the app in a frame of its page.
    """

    def __init__(self, app: ASGIApp, framers: tuple[str, ...] = (), on_space: bool = False) -> None:
        self.app = app
        policy = dict(_POLICY)
        if on_space:
            framers = (*framers, HUB)
            for name in ("connect-src", "img-src"):
                policy[name] += f" {HUB} https://*.huggingface.co"
        policy["frame-ancestors"] = " ".join((policy["frame-ancestors"], *framers))
        directives = "; ".join(f"{name} {sources}" for name, sources in policy.items())
        self.of_data = [(b"x-content-type-options", b"nosniff")]
        self.of_pages = [*self.of_data, (b"content-security-policy", directives.encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and complete the head of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", [])]
                # With nosniff, JSON is never taken for a page and needs no policy: its answers stay short.
                message["headers"] = headers + (self.of_data if _JSON in headers else self.of_pages)
            await send(message)

        await self.app(scope, receive, complete)
