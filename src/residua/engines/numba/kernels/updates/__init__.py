"""All variables in one kernel: the optimisers' steps, averages, norms.

Chosen where all arrays are float32: one kernel goes over a `table` of their pieces.
"""
