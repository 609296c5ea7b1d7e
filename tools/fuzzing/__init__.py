"""Readers under mutated files: seeds, mutations, what is called, a worker that is watched, a report."""
