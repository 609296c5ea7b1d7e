"""Training by several processes, started by mpiexec: each computes a part of every batch."""
