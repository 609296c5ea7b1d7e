"""What kernels are called: in the cache, in what the package carries, and between processes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache, update_wrapper
from typing import Any

Kernel = Callable[..., Any]
Key = tuple[Kernel, tuple[int, ...]]
KERNELS = "residua.engines.numba.kernels."  # below it, modules are named in messages
NARROW_MARK = "@narrow"


class Narrow:
    """A kernel for narrower vectors than this process has; elsewhere, one as any other. `narrow` makes it."""

    def __init__(self, function: Kernel) -> None:
        update_wrapper(self, function)
        self.function, self.__code__ = function, function.__code__

    def __call__(self, *arguments: Any) -> Any:
        """Refused: what is written in Python is for vectors of this process' width. Raises TypeError."""
        raise TypeError(f"{self.function.__name__} for narrow vectors is machine code alone")


@cache
def narrow(function: Kernel) -> Kernel:
    """That kernel for narrow vectors (`processor.NARROW`); always the same object."""
    return Narrow(function)


def name_of(function: Kernel, literals: tuple[int, ...] = ()) -> str:
    """The name of a kernel's file."""
    module = function.__module__.removeprefix(KERNELS).replace(".", "-")
    return "-".join([module, _marked(function), *map(str, literals)])


def _marked(function: Kernel) -> str:
    """Its name, which tells narrow ones from others."""
    return function.__name__ + NARROW_MARK * isinstance(function, Narrow)


def as_line(key: Key) -> str:
    """A kernel and its constants as a line of text."""
    function, literals = key
    return " ".join([function.__module__.removeprefix(KERNELS), _marked(function), *map(str, literals)])


def from_line(line: str) -> Key:
    """The kernel of such a line."""
    module, name, *literals = line.split()
    function = getattr(importlib.import_module(f"{KERNELS}{module}"), name.removesuffix(NARROW_MARK))
    return narrow(function) if name.endswith(NARROW_MARK) else function, tuple(map(int, literals))
