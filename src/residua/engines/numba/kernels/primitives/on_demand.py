"""Numba, imported when a kernel is first written in LLVM's language: a process that finds all of them made
never pays for the half second that it takes.

Kernels name what they need of Numba by `types`, `cgutils` and `intrinsic` from here, `inline` from `vector`.
"""

from __future__ import annotations

from functools import cached_property, update_wrapper
from importlib import import_module


class Module:
    """A module that is imported when something of it is asked for."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = self.__dict__[name] = getattr(import_module(self._name), name)
        return value


class Types(Module):
    """Numba's types and our own."""

    @property
    def vector(self):
        """WIDTH float32 numbers."""
        return import_module("residua.engines.numba.kernels.primitives.vector_type").vector


types, cgutils = Types("numba.core.types"), Module("numba.core.cgutils")


class Function:
    """A function that kernels call; Numba's own object for it is made when a kernel is compiled that does."""

    def __init__(self, function, make):
        update_wrapper(self, function)
        self._make = make

    @cached_property
    def made(self):
        """What Numba makes of it."""
        return self._make(self.__wrapped__)

    @cached_property
    def _numba_type_(self):
        from numba.core.registry import cpu_target

        made, context = self.made, cpu_target.typing_context
        context.refresh()  # what has just been made is news
        return context.resolve_value_type(made)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.made, name)


def intrinsic(function):
    """A function that says its own types, and what it is in LLVM's language."""
    return Function(function, _intrinsic)


def _intrinsic(function):
    from numba import extending

    return extending.intrinsic(function)
