"""A vector of floats as a Numba type, and memory by address: what every kernel is written in.

Numba's loops are vectorised by guesswork, which reaches a few per cent of a core's speed on convolutions.
So kernels say what they mean: a `vector` holds WIDTH float32 numbers in one register, and the functions
below become single instructions. They are written as LLVM's portable vector operations, without a word of
any processor's own language: LLVM makes AVX-512, AVX2, SSE or NEON of them.

Kernels see memory as int64 addresses of float32 numbers and count in floats: `load(a, i)` reads the WIDTH
numbers from a[i] on. Loads and stores need no alignment.
"""

from __future__ import annotations

import os
import platform

from llvmlite import binding, ir

from residua.engines.numba.kernels.primitives.on_demand import Function, intrinsic, types


def host_width() -> int:
    """How many float32 numbers one register of this machine holds: 16, 8 or 4."""
    if setting := os.environ.get("RESIDUA_VECTOR_WIDTH"):
        return int(setting)
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 16
    if features.get("avx2") and features.get("fma"):
        return 8
    return 4


WIDTH = host_width()
# AVX-512 and NEON have 32 vector registers, AVX2 and SSE 16.
X86, ARM = platform.machine() in ("x86_64", "AMD64"), platform.machine() in ("arm64", "aarch64")
REGISTERS = int(os.environ.get("RESIDUA_VECTOR_REGISTERS", 32 if WIDTH == 16 or ARM else 16))

FLOAT = ir.FloatType()
DOUBLE = ir.DoubleType()
INT = ir.IntType(64)
VECTOR = ir.VectorType(FLOAT, WIDTH)
LANES = ir.VectorType(ir.IntType(32), WIDTH)

# Division by zero must not branch, and a kernel runs without the interpreter's lock.
KERNEL = {"nogil": True, "error_model": "numpy", "boundscheck": False, "cache": False}
# No code that Python itself could call: each kernel would be compiled three times.
BARE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def inline(function):
    """A function that becomes part of the kernels that call it."""
    return Function(function, _inline)


def _inline(function):
    from numba import njit

    from residua.engines.numba.kernels.primitives.front_end import FrontEnd

    return njit(forceinline=True, pipeline_class=FrontEnd, **KERNEL, **BARE)(function)


def spliced(function):
    """In Numba already: nothing of its own to compile, for functions that only hand on."""
    return Function(function, _spliced)


def _spliced(function):
    from numba import njit

    return njit(inline="always", **KERNEL, **BARE)(function)


# ---------------------------------------------------------------- what the intrinsics are built from
def address(builder, base, index, element=FLOAT):
    """The pointer to element `index` after the address `base`."""
    if isinstance(index, int):
        index = INT(index)
    return builder.gep(builder.inttoptr(base, element.as_pointer()), [index])


def offset(builder, pointer, index):
    """The pointer `index` floats further on."""
    return builder.gep(pointer, [INT(index) if isinstance(index, int) else index])


def read(builder, pointer):
    """The vector at a pointer to float."""
    value = builder.load(builder.bitcast(pointer, VECTOR.as_pointer()))
    value.align = 4
    return value


def write(builder, value, pointer):
    """Store a vector at a pointer to float."""
    builder.store(value, builder.bitcast(pointer, VECTOR.as_pointer())).align = 4


def constant(number):
    """A vector of equal constants."""
    return ir.Constant(VECTOR, [ir.Constant(FLOAT, number)] * WIDTH)


def broadcast(builder, number):
    """A vector of equal numbers."""
    nothing = ir.Constant(VECTOR, ir.Undefined)
    return builder.shuffle_vector(
        builder.insert_element(nothing, number, ir.IntType(32)(0)), nothing, ir.Constant(LANES, [0] * WIDTH)
    )


def call_named(builder, name, result, arguments):
    """Call a function by its name, one of LLVM's own or the system's, which gives a `result`."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    return builder.call(function, arguments)


def prefetch_line(builder, line, write_soon=0):
    """Prefetch the cache line at an address, or a pointer to bytes."""
    byte, small = ir.IntType(8).as_pointer(), ir.IntType(32)
    pointer = builder.inttoptr(line, byte) if line.type == INT else line
    # Into the second-level cache, as data.
    arguments = [pointer, small(write_soon), small(2), small(1)]
    call_named(builder, "llvm.prefetch.p0", ir.VoidType(), arguments)


def multiply_add(builder, x, y, z):
    """x * y + z in one rounding where the processor can."""
    return call_named(builder, f"llvm.fmuladd.v{WIDTH}f32", VECTOR, [x, y, z])


# ---------------------------------------------------------------- vectors and memory
@intrinsic
def load(typing, a, i):
    """The WIDTH numbers from a[i] on."""

    def emit(context, builder, sig, args):
        return read(builder, address(builder, *args))

    return types.vector(types.int64, types.int64), emit


@intrinsic
def store(typing, a, i, v):
    """a[i : i + WIDTH] = v."""

    def emit(context, builder, sig, args):
        write(builder, args[2], address(builder, *args[:2]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.vector), emit


@intrinsic
def splat(typing, x):
    """A vector of WIDTH times x."""
    return types.vector(types.float32), lambda context, builder, sig, args: broadcast(builder, args[0])


@intrinsic
def zero(typing):
    """A vector of zeros."""
    return types.vector(), lambda context, builder, sig, args: constant(0.0)


@intrinsic
def fma(typing, x, y, z):
    """x * y + z."""

    def emit(context, builder, sig, args):
        return multiply_add(builder, *args)

    return types.vector(types.vector, types.vector, types.vector), emit


@intrinsic
def above(typing, low, x):
    """The larger of low and x, number by number; x where either is not a number.

    With low = 0 this is ReLU, with low = -infinity the identity; a NaN in x is never hidden.
    """

    def emit(context, builder, sig, args):
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return types.vector(types.vector, types.vector), emit


@intrinsic
def where_above(typing, x, low, v):
    """v where x > low (or x is not a number), zero elsewhere."""

    def emit(context, builder, sig, args):
        return builder.select(builder.fcmp_unordered(">", args[0], args[1]), args[2], constant(0.0))

    return types.vector(types.vector, types.vector, types.vector), emit


@intrinsic
def where_equal(typing, x, y, v, w):
    """v where x == y (or either is not a number), w elsewhere."""

    def emit(context, builder, sig, args):
        return builder.select(builder.fcmp_unordered("==", args[0], args[1]), args[2], args[3])

    return types.vector(types.vector, types.vector, types.vector, types.vector), emit


@intrinsic
def largest(typing, x, y):
    """The larger one, number by number; not a number where either is none."""

    def emit(context, builder, sig, args):
        x, y = args
        larger = builder.select(builder.fcmp_ordered(">", x, y), x, y)
        return builder.select(builder.fcmp_unordered("uno", x, x), x, larger)

    return types.vector(types.vector, types.vector), emit


@intrinsic
def transpose(typing, a, a_row, b, b_row):
    """b[j, i] = a[i, j] for a block of WIDTH x WIDTH numbers; rows `a_row` and `b_row` apart.

    Rows i and i + half are interleaved, number by number, as many times as WIDTH can be halved: each time
    a bit of a number's row and one of its column change places.
    """

    def emit(context, builder, sig, args):
        pa, pb = (builder.inttoptr(args[k], FLOAT.as_pointer()) for k in (0, 2))
        rows = [read(builder, offset(builder, pa, builder.mul(args[1], INT(i)))) for i in range(WIDTH)]
        half = WIDTH // 2
        low = ir.Constant(LANES, [line // 2 + WIDTH * (line % 2) for line in range(WIDTH)])
        high = ir.Constant(LANES, [half + line // 2 + WIDTH * (line % 2) for line in range(WIDTH)])
        for _ in range(WIDTH.bit_length() - 1):
            pairs = [(rows[i], rows[i + half]) for i in range(half)]
            rows = [builder.shuffle_vector(x, y, order) for x, y in pairs for order in (low, high)]
        for j, row in enumerate(rows):
            write(builder, row, offset(builder, pb, builder.mul(args[3], INT(j))))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), emit


@intrinsic
def root(typing, x):
    """The square root."""

    def emit(context, builder, sig, args):
        return call_named(builder, f"llvm.sqrt.v{WIDTH}f32", VECTOR, args)

    return types.vector(types.vector), emit


@intrinsic
def prefetch(typing, a, i, write_soon):
    """Ask for the cache line of a[i]; `write_soon` is a literal 0 or 1."""
    if not isinstance(write_soon, types.Literal):
        return None

    def emit(context, builder, sig, args):
        line = builder.bitcast(address(builder, *args[:2]), ir.IntType(8).as_pointer())
        prefetch_line(builder, line, sig.args[2].literal_value)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, write_soon), emit
