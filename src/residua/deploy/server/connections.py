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
    """A transport whose end waits for who still sends: a system that closes on them takes the answer back.

    What is written at once, an answer's head and its body, leaves at once: each packet wakes the other side.
    """

    def __init__(self, transport: Any, protocol: TimedProtocol) -> None:
        self._transport, self._protocol = transport, protocol
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it, with whatever else is written before the event loop comes round."""
        if not self._written:
            self._protocol.loop.call_soon(self._flush)
        self._written.append(data)

    def _flush(self) -> None:
        data, self._written = b"".join(self._written), []
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End the answer; the connection now, or when the other side has heard."""
        self._flush()
        transport, protocol = self._transport, self._protocol
        if not protocol.unread or protocol.lingering or not transport.can_write_eof():
            transport.close()
            return
        protocol.lingering = True
        transport.write_eof()
        transport.resume_reading()
        protocol.loop.call_later(LINGER_SECONDS, transport.close)
