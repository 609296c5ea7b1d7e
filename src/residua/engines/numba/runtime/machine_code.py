"""From LLVM's language to machine code that runs, by LLVM alone: Numba is not needed.

LLVM puts a kernel's constants in, takes all that is called into one piece, optimises that and makes machine
code of it; once for every set of constants. What it starts from is `lowering`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import binding

from residua.engines.numba.kernels.primitives.entries import is_entry

# The kernels' loops are unrolled by hand: what LLVM's third level adds is code, and a quarter of the time
# to compile, not speed.
LEVEL = 2
# Held by whoever compiles or loads: LLVM's contexts are not for two threads at once.
LOCK = threading.RLock()


def body_name(function: Callable[..., Any]) -> str:
    """What a function is called in LLVM's language."""
    return f"residua.{function.__module__}.{function.__qualname__}"


@cache
def _target() -> Any:
    """This machine, as a target of LLVM's."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    try:
        features = binding.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM does not know this processor
        features = ""
    target = binding.Target.from_triple(binding.get_process_triple())
    return target.create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=features,
        opt=LEVEL + 1,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


def _passes(level: int, vectorised: bool) -> tuple[Any, Any]:
    options = binding.create_pipeline_tuning_options()
    options.speed_level = level
    options.loop_vectorization, options.slp_vectorization = vectorised, False
    builder = binding.create_pass_builder(_target(), options)
    return builder.getModulePassManager(), builder


def _optimise(module: Any) -> None:
    """First all into one piece, with loops that end in their conditions; then what makes it fast."""
    manager, builder = _passes(0, vectorised=False)
    manager.add_loop_rotate_pass()
    manager.add_instruction_combine_pass()
    manager.add_jump_threading_pass()
    manager.run(module, builder)
    manager, builder = _passes(LEVEL, vectorised=True)
    manager.run(module, builder)


def machine_code(function: Callable[..., Any], code: bytes, literals: tuple[int, ...], name: str) -> bytes:
    """An object file that holds, under this name, the kernel with these constants or, without any, with none.

    code: what `lowering.lowered` gave for the function. One that Python calls becomes a C function.
    """
    with LOCK:
        target = _target()
        module = binding.parse_bitcode(code)
        module.link_in(binding.parse_assembly(_entry(function, literals, name)))
        module.get_function(body_name(function)).linkage = "internal"
        _optimise(module)
        module.verify()
        result: bytes = target.emit_object(module)
    return result


def _entry(function: Callable[..., Any], literals: tuple[int, ...], name: str) -> str:
    """The function of that name in LLVM's language, which calls the body with these constants.

    The body's first two arguments say where a result and an error go, of which there are none.
    """
    count = function.__code__.co_argcount
    taken = ", ".join(f"i64 %a{place}" for place in range(count))
    given = [str(number) for number in literals] + [f"%a{place}" for place in range(len(literals), count)]
    body = f'i32 @"{body_name(function)}"'
    call = f"call {body}(ptr %result, ptr %error, {', '.join(f'i64 {number}' for number in given)})"
    declared = f"declare {body}(ptr, ptr, {', '.join(['i64'] * count)})\n"
    if is_entry(function):
        return (
            f'{declared}define void @"{name}"({taken}) {{\n'
            f"  %result = alloca ptr\n  %error = alloca ptr\n  %done = {call}\n  ret void\n}}\n"
        )
    head = f'define i32 @"{name}"(ptr %result, ptr %error, {taken})'
    return f"{declared}{head} {{\n  %done = {call}\n  ret i32 %done\n}}\n"


@cache
def _engine() -> Any:
    return binding.create_mcjit_compiler(binding.parse_assembly(""), _target())


def load(code: bytes, name: str) -> int:
    """The address of that function, out of an object file."""
    with LOCK:
        engine = _engine()
        engine.add_object_file(binding.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return int(engine.get_function_address(name))
