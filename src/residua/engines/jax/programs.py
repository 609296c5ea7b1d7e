"""Operations as compiled programs: inside of a step they are part of it, alone each is one of its own.

A step of training is traced once and compiled as a whole. What is not compiled by the caller, such as single
operations in a test or a way of looking at a network, would be dispatched by JAX addition by addition; here
it is one program an operation, kept by the shapes of its arrays and by its options.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import numpy as np

from residua.engines.jax.precision import NARROW, exact_products, wide
from residua.engines.vocabulary.core import Engine

# Operations that are no function of arrays.
WHOLE = frozenset(
    (
        *("apply", "compile", "counted", "crop_and_flip", "input_gradient", "join", "plain"),
        *("share", "size", "when"),
    )
)

Kind = TypeVar("Kind", bound=type)


@dataclass(frozen=True)
class Fixed:
    """What an operation saves beside arrays, such as a shape: part of the program that reads it."""

    value: Any


jax.tree_util.register_pytree_node(Fixed, lambda fixed: ((), fixed), lambda fixed, _: fixed)

_programs: dict[Any, Callable[..., Any]] = {}


def as_programs(engine: Kind) -> Kind:
    """The class with each of its operations as a program."""
    for name, member in inspect.getmembers(engine, inspect.isfunction):
        if hasattr(Engine, name) and not name.startswith("_") and name not in WHOLE:
            setattr(engine, name, _as_program(name, member))
    return engine


def _as_program(name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def call(engine: Any, *arguments: Any, **options: Any) -> Any:
        leaves, tree = jax.tree.flatten((arguments, options))
        if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            return _traced(operation, name, engine, arguments, options)
        # Numbers that are given by position, such as rates, change from call to call; options do not.
        count = len(jax.tree.leaves(arguments))
        held = {
            place: leaf
            for place, leaf in enumerate(leaves)
            if not _is_array(leaf) and not (place < count and isinstance(leaf, float))
        }
        fixed = tuple((place, type(leaf), leaf) for place, leaf in held.items())
        key = (type(engine), name, engine.precision, tree, fixed)
        if (program := _programs.get(key)) is None:
            program = _programs[key] = _program(operation, name, engine, tree, held)
        return program([leaf for place, leaf in enumerate(leaves) if place not in held])

    return call


def _program(
    operation: Callable[..., Any], name: str, engine: Any, tree: Any, held: dict[int, Any]
) -> Callable[..., Any]:
    def run(arrays: list[Any]) -> Any:
        rest = iter(arrays)
        leaves = [held[place] if place in held else next(rest) for place in range(tree.num_leaves)]
        arguments, options = jax.tree.unflatten(tree, leaves)
        results = _traced(operation, name, engine, arguments, options)
        return jax.tree.map(lambda leaf: leaf if _is_array(leaf) else Fixed(leaf), results)

    program: Callable[..., Any] = jax.jit(run)
    return program


def _traced(
    operation: Callable[..., Any], name: str, engine: Any, arguments: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    arguments, options = jax.tree.map(_opened, (arguments, options), is_leaf=_is_fixed)
    if engine.precision == "bfloat16" and name not in NARROW:
        arguments, options = jax.tree.map(wide, (arguments, options))
    with exact_products(engine.precision):
        return operation(engine, *arguments, **options)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic))


def _is_fixed(node: Any) -> bool:
    return isinstance(node, Fixed)


def _opened(node: Any) -> Any:
    return node.value if _is_fixed(node) else node
