"""The contract of an engine: every operation, held to the reference in float64."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from residua.engines.numpy.engine import NumpyEngine
from residua.engines.vocabulary.core import Array, Engine
from residua.testing.arrays import distance, locked_scattered
from residua.testing.core_cases import CORE_CASES, Case
from residua.testing.engine_training import check_network, check_optimizers
from residua.testing.engine_values import Precision, check_lists, check_values
from residua.testing.rare_cases import RARE_CASES

# Operations that are no function of arrays, and those on lists of arrays: `engine_values` has their checks.
VALUE_OPERATIONS = (
    *("apply", "compile", "counted", "input_gradient", "join", "plain"),
    *("share", "size", "when"),
)
LIST_OPERATIONS = ("adam", "finite", "mix", "norm", "rmsprop", "scale", "sgd")
CASES = {**CORE_CASES, **RARE_CASES}


def check_engine(
    engine: Engine,
    *,
    reference: Engine | None = None,
    seed: int = 0,
    tolerance: float = 2e-5,
    dtype: Any = np.float32,
) -> None:
    """Hold an engine, computing in `dtype`, to the reference in float64.

    Every operation of the vocabulary must have the vocabulary's signature, give results within
    `tolerance` of the largest number that the reference gives, in `dtype`, finite, forward and backward;
    take read-only and non-contiguous inputs; and leave its inputs as they were. Then a small network is
    trained for some steps, which meets values that an engine may have left unfinished.

    Raises AssertionError with the operation, its inputs' shapes and the difference.
    """
    reference = NumpyEngine() if reference is None else reference
    operations, precision = _operations(), Precision(dtype, tolerance)
    _check_complete(operations)
    _check_signatures(engine, operations)
    for number, (name, cases) in enumerate(CASES.items()):
        for case in cases(np.random.default_rng((seed, number))):
            _check_case(engine, reference, name, case, seed, precision)
    check_lists(engine, reference, seed, precision)
    check_values(engine)
    check_optimizers(engine, reference, seed, precision)
    check_network(engine, reference, seed, dtype)


def _operations() -> list[str]:
    return [
        name for name, member in inspect.getmembers(Engine, inspect.isfunction) if not name.startswith("_")
    ]


def _check_complete(operations: list[str]) -> None:
    """A new operation without a case is not silently left out."""
    covered = {*CASES, *(f"{name}_backward" for name in CASES), *VALUE_OPERATIONS, *LIST_OPERATIONS}
    if missing := [name for name in operations if name not in covered]:
        raise AssertionError(f"residua.testing has no case for the operations {', '.join(missing)}")


def _check_signatures(engine: Engine, operations: list[str]) -> None:
    for name in operations:
        member = getattr(type(engine), name, None)
        if not callable(member):
            raise AssertionError(f"{type(engine).__name__} has no operation {name}")
        wanted, actual = _parameters(getattr(Engine, name)), _parameters(member)
        if actual != wanted:
            signatures = (", ".join(map(str, parameters)) for parameters in (actual, wanted))
            raise AssertionError(
                "{}.{} takes ({}); the vocabulary says ({})".format(type(engine).__name__, name, *signatures)
            )
    for attribute in ("name", "xp"):
        if not hasattr(engine, attribute):
            raise AssertionError(f"{type(engine).__name__} has no attribute {attribute}")


def _parameters(function: Any) -> list[inspect.Parameter]:
    # Names, kinds and defaults; types are mypy's business, and what stands for `self` is nobody's.
    first, *others = inspect.signature(function).parameters.values()
    named = [first.replace(name="self", kind=inspect.Parameter.POSITIONAL_OR_KEYWORD), *others]
    return [parameter.replace(annotation=inspect.Parameter.empty) for parameter in named]


def _check_case(
    engine: Engine, reference: Engine, name: str, case: Case, seed: int, precision: Precision
) -> None:
    exact, saved = _forward(reference, name, case, np.float64)
    dtype = precision.dtype
    backward = f"{name}_backward"
    paired = hasattr(Engine, backward)
    dy = np.random.default_rng(seed).normal(size=np.shape(exact[0])).astype(np.float32).astype(np.float64)
    if paired:
        # Next to a ReLU's kink either side is right.
        dy = _away_from_kink(reference, name, case, dy)
        exact_grads = _backward(reference, backward, case, saved, dy, np.float64)
    for form, shaped in (("", np.copy), (" with read-only, non-contiguous inputs", locked_scattered)):
        what = f"{type(engine).__name__}.{name}{form} ({case})"
        copies = Case(_as(dtype, case.inputs, shaped), _as(dtype, case.options, shaped))
        before = _as(dtype, case.inputs, np.copy)
        got, saved = _forward(engine, name, copies, dtype)
        _compare(what, got, exact, precision)
        if paired:
            dy_copy = shaped(dy.astype(dtype))
            grads = _backward(engine, backward, copies, saved, dy_copy, dtype)
            what_back = f"{type(engine).__name__}.{backward}{form} ({case})"
            # Sums over all rows round with the size of their terms, however small they come out.
            rows = dy.size / dy.shape[-1] if dy.size else 1.0
            _compare(what_back, grads, exact_grads, precision, channel_floor=rows**0.5)
            if not np.array_equal(dy_copy, dy.astype(dtype)):
                raise AssertionError(f"{what}: backward wrote to dy")
        for key, value in copies.inputs.items():
            if isinstance(value, np.ndarray) and not np.array_equal(value, before[key]):
                raise AssertionError(f"{what}: {key} was written to")


def _as(dtype: Any, values: Mapping[str, Any], shaped: Any) -> dict[str, Any]:
    return {
        name: shaped(_cast(value, dtype)) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


def _cast(value: Any, dtype: Any) -> Any:
    if isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating):
        return value.astype(dtype, copy=False)
    return value


def _forward(engine: Engine, name: str, case: Case, dtype: Any) -> tuple[list[Array], Any]:
    """The results on the host, and what backward needs."""
    inputs = {key: _cast(value, dtype) for key, value in case.inputs.items()}
    options = {key: _cast(value, dtype) for key, value in case.options.items()}
    results = getattr(engine, name)(*inputs.values(), **options)
    results = list(results) if isinstance(results, tuple) else [results]
    saved = results.pop() if hasattr(Engine, f"{name}_backward") else None
    return [np.asarray(engine.plain(result)) for result in results], saved


def _backward(engine: Engine, name: str, case: Case, saved: Any, dy: Array, dtype: Any) -> list[Array]:
    arguments = {"dy": dy, "saved": saved, **case.inputs, **case.options}
    positional, keyword = [], {}
    for parameter in list(inspect.signature(getattr(Engine, name)).parameters.values())[1:]:
        value = _cast(arguments[parameter.name], dtype)
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            keyword[parameter.name] = value
        else:
            positional.append(value)
    results = getattr(engine, name)(*positional, **keyword)
    return [np.asarray(engine.plain(r)) for r in (results if isinstance(results, tuple) else (results,))]


def _away_from_kink(reference: Engine, name: str, case: Case, dy: Array) -> Array:
    """dy, zero where ReLU's input is so small that rounding may decide its sign."""
    if not case.options.get("relu"):
        return dy
    before, _ = _forward(reference, name, Case(case.inputs, case.options | {"relu": False}), np.float64)
    size = np.abs(before[0])
    return np.where(size > 1e-3 * size.max(), dy, 0.0)


def _compare(
    what: str, got: list[Array], exact: list[Array], precision: Precision, channel_floor: float = 1e-2
) -> None:
    if len(got) != len(exact):
        raise AssertionError(f"{what} gave {len(got)} results instead of {len(exact)}")
    for number, (mine, theirs) in enumerate(zip(got, exact, strict=True)):
        if mine.shape != theirs.shape:
            raise AssertionError(f"{what}: result {number} is {mine.shape} instead of {theirs.shape}")
        floating = np.issubdtype(theirs.dtype, np.floating)
        if floating and mine.dtype != precision.dtype:
            wanted = np.dtype(precision.dtype)
            raise AssertionError(f"{what}: result {number} is {mine.dtype} for inputs in {wanted}")
        if not np.isfinite(mine).all():
            raise AssertionError(f"{what}: result {number} has numbers that are not finite")
        # What is zero but for rounding is measured against numbers around one.
        floor = channel_floor if theirs.ndim == 1 else 1e-2
        gap = distance(mine, theirs, floor=floor if floating else 0.0)
        if not gap <= precision.tolerance:
            raise AssertionError(
                f"{what}: result {number} is {gap:.3g} of the largest number away, "
                f"allowed {precision.tolerance:.3g}"
            )
