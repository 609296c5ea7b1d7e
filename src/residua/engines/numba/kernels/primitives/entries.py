"""What is called from outside: kernels, by the task board, and the functions that Python itself calls.

A kernel takes seven whole numbers: usually four that may be compiled in as constants, the address of its
arguments, the number of the part to do and the address of a scratch. Those that Python calls, any of them.
Neither has a result.
"""

from __future__ import annotations

from inspect import isfunction

NUMBERS = 7  # that a kernel takes


def entry(function):
    """A function that Python calls."""
    function.entry = True
    return function


def is_entry(thing):
    """Whether it is one that Python calls."""
    return isfunction(thing) and getattr(thing, "entry", False)


def is_kernel(thing):
    """Whether it is a kernel, of all plain functions the only ones of so many numbers."""
    return isfunction(thing) and thing.__code__.co_argcount == NUMBERS and not is_entry(thing)
