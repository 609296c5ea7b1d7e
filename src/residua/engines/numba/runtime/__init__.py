"""What the engine runs on: thread pool, memory, compiled kernels, facts about the processor."""
