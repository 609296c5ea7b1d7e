"""All variables in one kernel: the optimisers' steps, averages, norms."""
