"""Training by several processes, of mpiexec or of hosts on JAX: each computes a part of every batch."""
