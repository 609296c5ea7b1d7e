"""What every kernel is written in: vectors, single numbers in memory, atomics, the denormal mode.

`vector` is one register of floats, `scalars` single numbers and small loops, `arguments` a kernel's block as
a named tuple, `prefetch` lines of the cache asked for ahead.
"""
