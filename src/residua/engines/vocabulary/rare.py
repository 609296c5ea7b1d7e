"""The part of the vocabulary that is written once for every engine and seldom needs to be fast."""

from __future__ import annotations

from residua.engines.vocabulary.activation import Activations
from residua.engines.vocabulary.batches import Loading
from residua.engines.vocabulary.capsules import Capsules
from residua.engines.vocabulary.convolution import Convolutions
from residua.engines.vocabulary.losses import Losses
from residua.engines.vocabulary.maps import Maps


class MoreOperations(Activations, Capsules, Convolutions, Maps, Losses, Loading):
    """Activations, capsules, convolutions, maps and losses; an engine may override any of them."""
