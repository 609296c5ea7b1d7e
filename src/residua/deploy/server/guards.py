"""What every request passes: its host and origin, its key, how often it comes, the headers, the log."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from typing import Any

from residua.config import ServeConfig
from residua.deploy.server.clients import Clients
from residua.deploy.server.metrics import Metrics
from residua.deploy.server.refusals import Refused, refusal

OWN = ("127.0.0.1", "localhost", "::1")
OPEN = ("/v2/health/live", "/v2/health/ready")  # orchestrators ask these without a key, by any name
COUNTED = ("/predict", "/infer")
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(self), microphone=(), geolocation=()",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}


class Guards:
    """The application behind its guards (ASGI). A name that is not trusted is refused: DNS rebinding."""

    def __init__(
        self,
        inner: Any,
        config: ServeConfig,
        metrics: Metrics,
        keys: frozenset[str],
        log: Callable[[dict[str, Any]], None],
    ) -> None:
        self.inner, self.metrics, self.keys, self.log = inner, metrics, keys, log
        self.trusted = {name.lower() for name in config.trusted}
        self.hosts = {*OWN, config.host.lower(), *self.trusted}
        # Who listens to everybody is called by any name, unless names are given.
        self.any_host = config.host in ("0.0.0.0", "::") and not config.trusted
        self.clients = None if config.client_rate is None else Clients(config.client_rate)
        self.most, self.inside = config.concurrent, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        begun, status, sent = time.perf_counter(), 500, 0

        async def watched(message: Any) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status, given = message["status"], message["headers"]
                names = {name.lower() for name, _ in given}
                more = [(name, value) for name, value in HEADERS.items() if name not in names]
                message = {**message, "headers": [*given, *more]}
            sent += len(message.get("body", b""))
            await send(message)

        self.inside += 1
        try:
            if refused := self.refused(scope):
                await refusal(refused)(scope, receive, watched)
            else:
                await self.inner(scope, receive, watched)
        finally:
            self.inside -= 1
            seconds = time.perf_counter() - begun
            self.metrics.request(status, seconds, picture=scope["path"].endswith(COUNTED))
            self.log(
                {
                    "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    "client": _client(scope),
                    "method": scope["method"],
                    "path": scope["path"][:200],
                    "status": status,
                    "milliseconds": round(1000 * seconds, 3),
                    "bytes": sent,
                }
            )

    def refused(self, scope: Any) -> Refused | None:
        """Why a request is not let in; None for one that is. Its body is not read."""
        if scope["path"] in OPEN:
            return None
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "").lower()
        if not self.any_host and _without_port(host) not in self.hosts:
            name = _without_port(host)[:60]
            return _shut(400, f"this server is not called {name!r}: start it with --trusted, if it is yours")
        if self._foreign(scope["method"], headers, host):
            return _shut(403, "requests from pages of other sites are not answered")
        if self.keys and not self._known(headers.get(b"authorization", "")):
            # A browser asks a person for a name, which may be anything, and a password, which is the key.
            page = scope["path"] == "/" or scope["path"].startswith("/page/")
            kind = 'Basic realm="residua: any name, and a key for password"' if page else "Bearer"
            line = "a key is needed: send the header 'Authorization: Bearer KEY'"
            return _shut(401, line, {"WWW-Authenticate": kind})
        if self.clients is not None and (wait := self.clients.ask(_client(scope))):
            line = f"requests come too often: {self.clients.rate:g} a second; come again in {wait} s"
            return _shut(429, line, {"Retry-After": str(wait)})
        if self.inside > self.most:
            return _shut(503, "too many requests are carried out: come again in a second")
        return None

    def _foreign(self, method: str, headers: dict[bytes, str], host: str) -> bool:
        """Whether a page of another site asks, by what browsers say of it (Fetch metadata, Origin).

        A link from there that a person follows is none.
        """
        followed = method == "GET" and headers.get(b"sec-fetch-mode") == "navigate"
        if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin") and not followed:
            return True
        origin = headers.get(b"origin")
        if origin is None:
            return False
        place = origin.lower().partition("://")[2]
        return place != host and _without_port(place) not in self.trusted

    def _known(self, given: str) -> bool:
        kind, _, value = given.strip().partition(" ")
        if kind.lower() == "basic":
            try:
                value = base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError, ValueError):
                return False
        elif kind.lower() != "bearer":
            return False
        # All are compared, so that the time says nothing.
        return sum(hmac.compare_digest(value.strip().encode(), key.encode()) for key in self.keys) > 0


def _shut(status: int, line: str, headers: dict[str, str] | None = None) -> Refused:
    return Refused(status, line, unread=True, headers=headers)


def _client(scope: Any) -> str:
    return str((scope.get("client") or ("",))[0])


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
