"""What every kernel is written in: vectors, single numbers in memory, atomics, the denormal mode."""
