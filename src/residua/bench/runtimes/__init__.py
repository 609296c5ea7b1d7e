"""Inference beside what people deploy with: each in a process of its own, stopped out of turn."""
