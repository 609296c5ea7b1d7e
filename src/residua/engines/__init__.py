"""Engines compute; layers say what. The engine is always an argument, never a global.

May import: cores, errors, files.

`ENGINES` maps names to "module:Class"; nothing is imported before it is asked for.
"""

from __future__ import annotations

import importlib
from typing import cast

from residua.engines.choice import choose
from residua.engines.estimate import Work
from residua.engines.table import ENGINES, NEEDS, installed
from residua.engines.vocabulary.core import Engine
from residua.errors import EngineError

__all__ = ["ENGINES", "NEEDS", "Engine", "choose_engine", "installed", "open_engine"]


def choose_engine(name: str, work: float | Work = 0.0, threads: int | None = None) -> str:
    """`name` itself; for "auto" the engine that is through with the job first (`choice.choose`).

    work: the job; a number stands for the multiply-adds of passes forward. Raises EngineError for an unknown
    name or a missing engine.
    """
    if isinstance(work, Work):
        return choose(name, work, threads).engine
    return choose(name, Work(work), threads).engine


def open_engine(
    name: str = "auto",
    *,
    threads: int | None = None,
    work: float | Work = 0.0,
    precision: str = "float32",
) -> Engine:
    """The engine of that name, computing with so many threads; see `choose_engine`.

    precision: of products, another than float32 only on "jax". Raises EngineError for others.
    """
    chosen = choose_engine(name, work, threads)
    module, _, attribute = ENGINES[chosen].partition(":")
    options = {} if precision == "float32" else {"precision": precision}
    if options and chosen != "jax":
        raise EngineError(
            f"the engine {chosen!r} computes in float32: --precision {precision} needs --engine jax"
        )
    return cast(Engine, getattr(importlib.import_module(module), attribute)(threads, **options))
