"""Methods of the engine made of functions: what `engine.NumbaEngine` is written in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any, Concatenate, ParamSpec, TypeVar

from residua.engines.numba.lazy.materialize import on_arrays
from residua.engines.numba.runtime.context import Context
from residua.engines.vocabulary.core import Engine

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[Concatenate[Context, P], R]) -> Callable[Concatenate[Any, P], R]:
    """The method that gives the engine's context to a function of `operations`, one thread at a time."""

    def method(engine: Any, /, *arguments: P.args, **options: P.kwargs) -> R:
        with engine.context.thread_pool.lock:
            return function(engine.context, *arguments, **options)

    return _described(method, function)


def side_by_side(function: Callable[Concatenate[Context, P], R]) -> Callable[Concatenate[Any, P], R]:
    """As `kernel`, of a function that touches nothing that threads share: it may run beside a step."""

    def method(engine: Any, /, *arguments: P.args, **options: P.kwargs) -> R:
        return function(engine.context, *arguments, **options)

    return _described(method, function)


def reference(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """The method that finishes its arguments and has the reference compute this operation of its own."""

    def method(engine: Any, /, *arguments: P.args, **options: P.kwargs) -> R:
        context = engine.context
        with context.thread_pool.lock:
            result: R = on_arrays(context, MethodType(function, context.reference), *arguments, **options)
        return result

    return _described(method, function)


def composed(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """The method that finishes its arguments and carries out this definition with the engine's operations."""

    def method(engine: Any, /, *arguments: P.args, **options: P.kwargs) -> R:
        with engine.context.thread_pool.lock:
            result: R = on_arrays(engine.context, MethodType(function, engine), *arguments, **options)
        return result

    return _described(method, function)


def _described(method: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """The method with the name of the function, and what the vocabulary says of the operation."""
    vocabulary = getattr(Engine, function.__name__)
    method.__name__, method.__doc__ = function.__name__, vocabulary.__doc__
    method.__qualname__ = f"NumbaEngine.{function.__name__}"
    method.__signature__ = inspect.signature(vocabulary)  # type: ignore[attr-defined]
    return method
