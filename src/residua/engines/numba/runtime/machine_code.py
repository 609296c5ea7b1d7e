"""From a kernel's Python to its machine code, in two steps that are kept apart.

`lowered`: Numba types a function and writes it, and all that it calls, in LLVM's language; once for a kernel,
whatever its constants. `machine_code`: LLVM puts the constants in, takes all that is called into one piece,
optimises that and makes machine code of it; once for every set of constants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import config
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

from residua.engines.numba.kernels.primitives.vector import inline

# The kernels' loops are unrolled by hand: what LLVM's third level adds is code, and a quarter of the time
# to compile, not speed.
LEVEL = 2

INT, BYTE = ir.IntType(64), ir.IntType(8).as_pointer()
LITERALS, REST = 4, 3  # a kernel's numbers: those that may be constants, and the others
# The native form of a compiled function: where its result and its error go, then its arguments.
KIND = ir.FunctionType(ir.IntType(32), [BYTE.as_pointer(), BYTE.as_pointer(), *[INT] * (LITERALS + REST)])
NUMBERS = (types.Number, types.Boolean, types.Literal)
SIGNATURE = (types.int64,) * (LITERALS + REST)


@contextmanager
def optimised() -> Iterator[None]:
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


def _name_of(function: Callable[..., Any]) -> str:
    return f"residua.{function.__module__}.{function.__qualname__}"


@optimised()
@_operators_typed_once()
def lowered(function: Callable[..., Any]) -> bytes:
    """A kernel in LLVM's language, and all that it calls: LLVM's bitcode."""
    dispatcher = inline(function)
    dispatcher.compile(SIGNATURE)
    result = dispatcher.overloads[SIGNATURE]
    module = result.library._get_module_for_linking().clone()
    # A name that does not depend on how often Numba has been asked for the function.
    body = module.get_function(result.fndesc.llvm_func_name)
    body.name = _name_of(function)
    code: bytes = module.as_bitcode()
    return code


@optimised()
def machine_code(function: Callable[..., Any], code: bytes, literals: tuple[int, ...], name: str) -> bytes:
    """An object file that holds, under this name, the kernel with these constants or, without any, with none.

    code: what `lowered` gave for the function.
    """
    codegen = cpu_target.target_context.codegen()
    library = JITCodeLibrary(codegen, name)
    library._final_module = module = binding.parse_bitcode(code)
    module.link_in(binding.parse_assembly(_entry(_name_of(function), literals, name)))
    module.get_function(_name_of(function)).linkage = "internal"
    library._optimize_final_module()
    module.verify()
    result: bytes = codegen._tm.emit_object(module)
    return result


def _entry(body: str, literals: tuple[int, ...], name: str) -> str:
    """The function of that name, which calls the body with these constants."""
    module = ir.Module(name)
    called, entry = ir.Function(module, KIND, body), ir.Function(module, KIND, name)
    builder = ir.IRBuilder(entry.append_basic_block())
    given = list(entry.args)
    for place, number in enumerate(literals, start=2):
        given[place] = INT(number)
    builder.ret(builder.call(called, given))
    return str(module)


def load(code: bytes, name: str) -> int:
    """The address of that function, out of an object file."""
    engine = cpu_target.target_context.codegen()._engine._ee
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return int(engine.get_function_address(name))
