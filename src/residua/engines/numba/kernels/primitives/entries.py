"""What is called from outside: kernels, by the task board, and the functions that Python itself calls.

A kernel takes four numbers that may be compiled in as constants, the address of its arguments, the number
of the part to do and the address of a scratch. A function that Python calls takes whole numbers. Neither has
a result.
"""

from __future__ import annotations

from inspect import isfunction

LITERALS = 4  # a kernel's numbers that may be constants
TAIL = ("args", "part", "scratch")  # its others, by these names


def entry(function):
    """A function that Python calls."""
    function.entry = True
    return function


def is_entry(thing):
    """Whether it is one that Python calls."""
    return isfunction(thing) and getattr(thing, "entry", False)


def is_kernel(thing):
    """Whether it is a kernel."""
    if not isfunction(thing):
        return False
    names = thing.__code__.co_varnames[: thing.__code__.co_argcount]
    return len(names) == LITERALS + len(TAIL) and names[LITERALS:] == TAIL
