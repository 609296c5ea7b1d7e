"""From a kernel's Python to LLVM's language: what Numba is needed for.

Numba types a function and writes it, and all that it calls, in LLVM's language; once for a kernel, whatever
its constants. Importing this module imports Numba.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba import types
from numba.core import config
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

# Registered before anything is typed.
from residua.engines.numba.kernels.primitives import vector_type  # noqa: F401
from residua.engines.numba.kernels.primitives.vector import inline
from residua.engines.numba.runtime.machine_code import LEVEL, body_name

NUMBERS = (types.Number, types.Boolean, types.Literal)


@contextmanager
def _optimised() -> Iterator[None]:
    """Numba at our level; for whoever holds its lock."""
    level, config.OPT = config.OPT, type(config.OPT)(LEVEL)
    try:
        yield
    finally:
        config.OPT = level


_operators: dict[Any, Any] = {}  # what operators on numbers of some types give


@contextmanager
def _operators_typed_once() -> Iterator[None]:
    """Have Numba remember what + or < of two kinds of numbers gives; for whoever holds its lock.

    It would ask NumPy's functions and every other candidate each time: a seventh of all it takes.
    """
    context = cpu_target.typing_context
    resolve = context.resolve_function_type

    def remembered(function: Any, arguments: Any, options: Any) -> Any:
        key = getattr(function, "typing_key", None), tuple(arguments)
        is_operator = getattr(key[0], "__module__", None) == "_operator"
        if options or not is_operator or not all(isinstance(a, NUMBERS) for a in arguments):
            return resolve(function, arguments, options)
        if key not in _operators:
            _operators[key] = resolve(function, arguments, options)
        return _operators[key]

    context.resolve_function_type = remembered
    try:
        yield
    finally:
        del context.resolve_function_type


def lowered(function: Callable[..., Any]) -> bytes:
    """A function of whole numbers in LLVM's language, and all that it calls: LLVM's bitcode."""
    signature = (types.int64,) * function.__code__.co_argcount
    with global_compiler_lock, _optimised(), _operators_typed_once():
        dispatcher = inline(function).made
        dispatcher.compile(signature)
        result = dispatcher.overloads[signature]
        module = result.library._get_module_for_linking().clone()
    # A name that does not depend on how often Numba has been asked for the function.
    module.get_function(result.fndesc.llvm_func_name).name = body_name(function)
    code: bytes = module.as_bitcode()
    return code
