"""How the outputs of a network become probabilities (N, classes)."""

from __future__ import annotations

from residua.layers.activation import Softmax
from residua.layers.base import Layer
from residua.layers.capsules import Shares
from residua.layers.identity import Identity

# By the kind of outputs that the network's class names.
PROBABILITIES: dict[str, Layer] = {"logits": Softmax(), "lengths": Shares(), "probabilities": Identity()}
