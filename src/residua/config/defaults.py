"""Rate, batch, momentum and decay where neither an option nor a recipe names one; written here alone."""

from __future__ import annotations

BATCH = 128
DECAY = 0.0001
MOMENTUM = 0.9

# Learning rates that suit most networks, by optimiser.
RATES = {"sgd": 0.1, "adam": 0.001, "adamw": 0.001, "rmsprop": 0.001, "muon": 0.02}
