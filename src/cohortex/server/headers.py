"""What every reply tells the browser: what it may load, keep and show, and how much a request may send."""

from __future__ import annotations

import json

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; worker-src 'self' blob:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
REPORT_POLICY = (  # one file, no scripts; its own origin only so that its link to the record keeps the sign-in
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; sandbox allow-same-origin"
)
KEPT_FOR_EVER = "private, max-age=31536000, immutable"
MOST_BODY_BYTES = 24_000_000
"""Of a request other than a piece of an upload: the largest table of records, and some room."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_PIECE = "application/offset+octet-stream"
_TOO_LARGE = json.dumps(
    {
        "error": {
            "message": f"The request is larger than {MOST_BODY_BYTES // 1_000_000} MB.",
            "remedy": "Send tables in parts; send images as an upload.",
            "fields": {},
        }
    }
).encode()


class SafeHeaders:
    """Adds the headers of safety to every reply, and keeps replies of the API out of caches unless they say otherwise.

    Parameters
    ----------
    app : ASGI application
        What replies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", PAGE_POLICY)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_safely)


class BoundedBodies:
    """Refuses requests with a larger body than any form or table has; pieces of uploads have their own bound.

    Parameters
    ----------
    app : ASGI application
        What replies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or Headers(scope=scope).get("content-type") == _PIECE:
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > MOST_BODY_BYTES:
            await _refuse(send)
            return
        taken, refused = 0, False

        async def receive_bounded() -> Message:
            nonlocal taken, refused
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > MOST_BODY_BYTES:
                    if not refused:
                        refused = True
                        await _refuse(send)
                    return {"type": "http.disconnect"}
            return message

        async def send_unless_refused(message: Message) -> None:
            if not refused:
                await send(message)

        await self._app(scope, receive_bounded, send_unless_refused)


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LARGE})
