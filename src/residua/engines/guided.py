"""Guided backpropagation: another way back through every ReLU, for any engine and any network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from residua.engines.vocabulary.core import Array, Engine

RECTIFYING = frozenset({"relu_backward", "add_relu_backward"})


class _Guided:
    """An engine whose operations are another's, but for the way back through ReLU."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._engine, name)
        return self._guide(name, operation) if name.endswith("_backward") else operation

    def _guide(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def guided_operation(dy: Array, *others: Any, **options: Any) -> Any:
            # A ReLU that is welded to an operation was its last step, and is the first on the way back.
            if name in RECTIFYING or options.get("relu"):
                dy = self._engine.apply(_positive, dy)
            return operation(dy, *others, **options)

        return guided_operation


def _positive(xp: Any, dy: Array) -> Array:
    return xp.maximum(dy, 0)


def guided(engine: Engine) -> Engine:
    """The engine with guided backpropagation (Springenberg et al. 2014, section 3.4).

    The gradient passes a ReLU only where its input was positive, as ever, and the gradient is positive too.
    Everything else, forward and backward, is the engine's own. An engine may have taken the ReLU's mask to
    the gradient early; that changes nothing, since what it sets to zero is zero in the end.
    """
    return cast(Engine, _Guided(engine))
