"""What every request passes: whose name it comes under, its key, the answer's headers, the log."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from residua.config import ServeConfig
from residua.deploy.server.metrics import Metrics

OWN = ("127.0.0.1", "localhost", "::1")
OPEN = ("/v2/health/live", "/v2/health/ready")  # orchestrators ask these without a key
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


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
        self.hosts = {*OWN, config.host.lower(), *(name.lower() for name in config.trusted)}
        # Who listens to everybody is called by any name, unless names are given.
        self.any_host = config.host in ("0.0.0.0", "::") and not config.trusted

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        begun, status, sent = time.perf_counter(), 500, 0

        async def watched(message: Any) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *HEADERS]}
            sent += len(message.get("body", b""))
            await send(message)

        try:
            if refusal := self.refusal(scope):
                await _refuse(watched, *refusal)
            else:
                await self.inner(scope, receive, watched)
        finally:
            seconds = time.perf_counter() - begun
            self.metrics.request(status, seconds, picture=scope["path"].endswith("/predict"))
            self.log(
                {
                    "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    "client": (scope.get("client") or ("",))[0],
                    "method": scope["method"],
                    "path": scope["path"][:200],
                    "status": status,
                    "milliseconds": round(1000 * seconds, 3),
                    "bytes": sent,
                }
            )

    def refusal(self, scope: Any) -> tuple[int, str] | None:
        """Status and line of a request that is not let in."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = _without_port(headers.get(b"host", "")).lower()
        if not self.any_host and host not in self.hosts:
            return 400, f"this server is not called {host[:60]!r}: start it with --trusted, if it is yours"
        if self.keys and scope["path"] not in OPEN:
            given = headers.get(b"authorization", "").removeprefix("Bearer ").strip()
            if sum(hmac.compare_digest(given.encode(), key.encode()) for key in self.keys) == 0:
                return 401, "a key is needed: send the header 'Authorization: Bearer KEY'"
        return None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


async def _refuse(send: Any, status: int, line: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": line}).encode()})
