"""Training pictures varied: moved, coloured, blanked out, mixed; drawn from seed, epoch and index."""
