"""Models: the table of them, how one is built, kept in a file, filled with others' weights and joined.

May import: config, data, errors, files, layers, variables.

`cards.py` is the table, whose builders lie in `architectures/`; `build.py` builds one by name;
`model_file.py` keeps a trained one with its `calibration.py`; `foreign_weights/` fills one with weights
from elsewhere; `stages.py` and `head_replacement.py` divide one for transfer learning; `ensemble.py` joins
several; `summary.py` prints tables.
"""

from __future__ import annotations

from residua.models.build import build_model, builder_options, find_card
from residua.models.cards import MODELS, Card

__all__ = ["MODELS", "Card", "build_model", "builder_options", "find_card"]
