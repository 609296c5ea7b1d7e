"""The verb bench."""

from __future__ import annotations

from typing import Annotated

from residua.bench import CASES
from residua.cli.shared import Options
from residua.config import BenchConfig


def bench(*, options: Annotated[BenchConfig, Options] = BenchConfig()) -> int:
    """Measure how fast this machine trains, beside PyTorch where that is installed."""
    from residua.bench.run import run_bench

    run_bench(options, lambda text: print(text, flush=True))
    return 0


# The help lists the cases; their table is the only place that names them.
bench.__doc__ = f"{bench.__doc__}\n\nCases:\n\n" + "\n\n".join(f"{k}: {v}." for k, v in CASES.items())
