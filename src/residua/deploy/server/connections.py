"""Connections: cut off where nothing comes, and read on for a while where more comes than is taken."""

from __future__ import annotations

from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

FIRST_SECONDS = 10.0  # until the first request of a connection has its headers
LINGER_SECONDS = 2.0  # that a body is read on, unheard, behind an answer that did not wait for it


class TimedProtocol(H11Protocol):
    """HTTP of a connection that is cut off unless its first request has come whole, but for the body."""

    lingering = False

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self.transport = LingeringTransport(transport, self)
        self.patience = self.loop.call_later(FIRST_SECONDS, self._cut)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self.patience.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """What comes behind the answer is dropped."""
        if not self.lingering:
            super().data_received(data)

    @property
    def unread(self) -> bool:
        """Whether more of the body may come."""
        return self.conn.their_state is h11.SEND_BODY

    def _cut(self) -> None:
        if self.cycle is None:
            self.transport.close()


class LingeringTransport:
    """A transport whose end waits for who still sends: a system that closes on them takes the answer back."""

    def __init__(self, transport: Any, protocol: TimedProtocol) -> None:
        self._transport, self._protocol = transport, protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """End the answer; the connection now, or when the other side has heard."""
        transport, protocol = self._transport, self._protocol
        if not protocol.unread or protocol.lingering or not transport.can_write_eof():
            transport.close()
            return
        protocol.lingering = True
        transport.write_eof()
        transport.resume_reading()
        protocol.loop.call_later(LINGER_SECONDS, transport.close)
