"""The options of `residua bench`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName


@dataclass(frozen=True)
class BenchConfig:
    """Everything that `residua bench` can be told."""

    cases: tuple[str, ...] = ("main",)
    """What to measure; `all` for everything."""
    peers: tuple[str, ...] = ("torch", "onnxruntime", "openvino")
    """Who takes part beside residua where it is installed; other cases than inference know torch alone."""
    threads: int | None = None
    """Threads for either side (the cores that this process may use)."""
    rounds: int = 10
    """How many times both sides take turns."""
    seconds: float = 60.0
    """After so many seconds a line of the table gets no further round."""
    json: str | None = shared.path(
        "File for the figures, with machine and versions, or a folder for bench.json."
    )
    engine: EngineName = "auto"
    """What computes on residua's side; auto takes numba where it is installed."""
    processor_time: bool = False
    """Count processor time instead of wall time, for one thread on a busy machine."""
