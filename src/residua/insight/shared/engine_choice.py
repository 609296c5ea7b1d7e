"""Which engine a verb's model answers on: chosen once for the whole job, and said before anything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from residua.engines.choice import choose
from residua.engines.estimate import Work

C = TypeVar("C", bound=Any)  # the options of a verb


def settle_engine(config: C, work: Work, say: Callable[[str], Any]) -> C:
    """The options with the engine that answers in place of "auto"; `say` hears which. Raises EngineError."""
    choice = choose(config.engine, work, config.threads)
    if say is not print:  # a notebook, which nobody told to say otherwise, asks many times
        say(choice.line)
    settled: C = replace(config, engine=choice.engine)
    return settled
