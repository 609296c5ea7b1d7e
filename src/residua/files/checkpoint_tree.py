"""Where in a checkpoint the weights lie: under which of its keys, beside optimizer, epoch and options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from residua.errors import ModelFileError

# Keys under which programs keep a network's weights, those of the network itself before its running mean.
_KEYS = """
state_dict model_state_dict model_state model_weights model_params model network net net_state_dict module
weights params parameters backbone encoder classifier teacher student generator net_g
state_dict_ema model_ema ema_state_dict ema_model ema params_ema shadow_params
"""
KEYS = tuple(_KEYS.split())
# Other parts of a checkpoint, in which tensors lie that are no weights of a network.
_OTHERS = """
optimizer optimizer_state_dict optimizers optimizer_states optim scheduler lr_scheduler lr_schedulers scaler
amp callbacks loops hyper_parameters hparams args config cfg rng_state
"""
NO_WEIGHTS = frozenset(_OTHERS.split())
DEEPEST = 8


def find_weights(tree: Any, kind: type, path: Path) -> dict[str, Any]:
    """{name: entry} of the entries of a class that belong to a network, out of a checkpoint's tree.

    Raises ModelFileError where there are none, which says what there is.
    """
    return _descend(tree, kind, DEEPEST) or _refuse(tree, path)


def _descend(tree: Any, kind: type, deepest: int) -> dict[str, Any]:
    if not isinstance(tree, Mapping) or not deepest:
        return {}
    for key in KEYS:
        if found := _descend(tree.get(key), kind, deepest - 1):
            return found
    if found := {name: entry for name, entry in tree.items() if isinstance(entry, kind)}:
        # Parts that a program keeps apart, such as {"features": {...}, "head": {...}}, stay apart.
        return {str(name): entry for name, entry in found.items()}
    parts = {key: part for key, part in tree.items() if str(key).lower() not in NO_WEIGHTS}
    inner = {key: found for key, part in parts.items() if (found := _descend(part, kind, deepest - 1))}
    if len(inner) == 1:
        return next(iter(inner.values()))
    return {f"{key}.{name}": entry for key, found in inner.items() for name, entry in found.items()}


def _refuse(tree: Any, path: Path) -> dict[str, Any]:
    held = ""
    if isinstance(tree, Mapping) and tree:
        names = [str(key)[:40] for key in list(tree)[:6]]
        held = f" (it holds {', '.join(names)}{', ...' if len(tree) > 6 else ''})"
    raise ModelFileError(f"{path} holds no named weights{held}: save a network's state_dict() in it")
