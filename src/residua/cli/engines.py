"""The verb engines."""

from __future__ import annotations

from residua.cli.terminal import require_positive, to_stdout


def engines(*, threads: int | None = None) -> int:
    """Show what can compute on this machine, and measure about how fast.

    Parameters
    ----------
    threads
        How many to compute with (the cores that this process may use).
    """
    from residua.engines.survey import survey

    for line in survey(None if threads is None else require_positive("threads", threads)):
        to_stdout(line)
    return 0
