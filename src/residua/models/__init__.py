"""Models: the table of them, how one is built, kept in a file, filled with others' weights and joined.

May import: config, data, errors, files, layers, variables.
"""

from __future__ import annotations

from residua.models.build import build_model, builder_options, find_card
from residua.models.cards import MODELS, Card

__all__ = ["MODELS", "Card", "build_model", "builder_options", "find_card"]
