"""How the server says no: a status, and one line of JSON."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse

COME_AGAIN = {"Retry-After": "1"}


class Refused(Exception):
    """A request that cannot be carried out: a status and a line. unread: more of its body may come."""

    def __init__(
        self, status: int, line: str, *, unread: bool = False, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(line)
        self.status, self.unread = status, unread
        self.headers = dict(headers or {})


def refusal(refused: Refused) -> JSONResponse:
    """The answer to a request that cannot be carried out."""
    headers = dict(refused.headers)
    if refused.unread:  # what was not read of the body would be taken for the next request
        headers["Connection"] = "close"
    if refused.status == 503:
        headers |= COME_AGAIN
    return JSONResponse({"error": str(refused)}, refused.status, headers)
