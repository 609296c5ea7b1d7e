"""Variables: nested dictionaries of arrays, held by the caller and never by a layer.

Dotted paths (`stage1.0.body.conv1.conv.weight`) appear only in files, logs and messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from residua.errors import ModelFileError

Array = Any
Tree = dict[str, Any]

# Replaced by what the forward pass finds: no gradient, no decay, yet saved.
STATISTICS = frozenset({"running_mean", "running_var", "key"})
# Never changed.
FIXED = frozenset({"fixed_weight"})


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Array]:
    """Nested dictionaries -> {dotted path: array}, in the tree's order."""
    flat: dict[str, Array] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def unflatten(flat: Mapping[str, Array]) -> Tree:
    """{dotted path: array} -> nested dictionaries."""
    tree: Tree = {}
    for path, value in flat.items():
        *parents, name = path.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = value
    return tree


def merge(tree: Mapping[str, Any], update: Mapping[str, Any]) -> Tree:
    """`tree` with every array that `update` names replaced; `update` may be sparse."""
    merged: Tree = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            merged[name] = merge(value, update.get(name) or {})
        else:
            merged[name] = update.get(name, value)
    return merged


def transform(function: Callable[..., Any], tree: Mapping[str, Any], *others: Mapping[str, Any]) -> Tree:
    """The tree of function(leaf, other leaves...); `others` have the same structure."""
    return {
        name: transform(function, value, *(other[name] for other in others))
        if isinstance(value, Mapping)
        else function(value, *(other[name] for other in others))
        for name, value in tree.items()
    }


def settled(tree: Mapping[str, Any], others: Mapping[str, Any]) -> Tree:
    """The tree with kernels of convolutions that nobody can write to any more, as engines may keep what they
    make of such ones; those that others hold, too, are copied first. `others`: their tree."""
    held = set(map(id, flatten(others).values()))

    def settle(leaf: Any) -> Any:
        if getattr(leaf, "ndim", 0) != 4 or not hasattr(leaf, "setflags"):
            return leaf
        kernel = leaf.copy() if leaf.base is not None or id(leaf) in held else leaf
        kernel.setflags(write=False)
        return kernel

    return transform(settle, tree)


def trainable(tree: Mapping[str, Any]) -> Tree:
    """The part of the tree that receives gradients: no statistics, nothing fixed; empty branches vanish."""
    part: Tree = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            if branch := trainable(value):
                part[name] = branch
        elif name not in STATISTICS | FIXED:
            part[name] = value
    return part


def count_parameters(tree: Mapping[str, Any]) -> int:
    """How many numbers are trained."""
    return sum(int(array.size) for array in flatten(trainable(tree)).values())


def fill(template: Mapping[str, Any], flat: Mapping[str, Array], source: str) -> Tree:
    """The template's structure with the arrays of `flat`, every one accounted for.

    Raises ModelFileError that lists what is missing, unexpected or misshapen.
    """
    wanted = flatten(template)
    problems = []
    if missing := [name for name in wanted if name not in flat]:
        problems.append("missing " + _list_names(missing))
    if unexpected := [name for name in flat if name not in wanted]:
        problems.append("unexpected " + _list_names(unexpected))
    misshapen = [
        f"{name} {tuple(flat[name].shape)} instead of {tuple(array.shape)}"
        for name, array in wanted.items()
        if name in flat and tuple(flat[name].shape) != tuple(array.shape)
    ]
    if misshapen:
        problems.append("misshapen " + _list_names(misshapen))
    of_another_kind = [
        f"{name} {flat[name].dtype} instead of {array.dtype}"
        for name, array in wanted.items()
        if name in flat and array.dtype.kind == "f" != flat[name].dtype.kind
    ]
    if of_another_kind:
        problems.append("of another kind " + _list_names(of_another_kind))
    if problems:
        raise ModelFileError(
            f"{source} does not hold the weights of this network: {'; '.join(problems)}. "
            "Load it with the architecture that it was made for."
        )
    # The template's structure, not the names', so that branches without arrays stay.
    arrays = iter(flat[name] for name in wanted)
    return transform(lambda array: next(arrays).astype(array.dtype, copy=False), template)


def _list_names(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name if len(name) <= 200 else f"{name[:197]}..." for name in names[:most]) + more
