"""The part of the vocabulary that is written once for every engine and seldom needs to be fast."""

from __future__ import annotations

from residua.engines.activations import Activations
from residua.engines.capsules import Capsules
from residua.engines.convolutions import Convolutions
from residua.engines.loading import Loading
from residua.engines.losses import Losses
from residua.engines.maps import Maps


class MoreOperations(Activations, Capsules, Convolutions, Maps, Losses, Loading):
    """Activations, capsules, convolutions, maps and losses; an engine may override any of them."""
