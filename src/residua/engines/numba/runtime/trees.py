"""Trees of dictionaries, tuples and lists, as steps take and return them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def map_leaves(tree: Any, function: Callable[[Any], Any]) -> Any:
    """The tree of dictionaries, tuples and lists with function(x) for everything else."""
    if isinstance(tree, dict):
        return {name: map_leaves(branch, function) for name, branch in tree.items()}
    if type(tree) in (tuple, list):
        return type(tree)(map_leaves(branch, function) for branch in tree)
    return function(tree)


def leaves(tree: Any) -> Iterator[Any]:
    """Its leaves, in order."""
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from leaves(branch)
    elif type(tree) in (tuple, list):
        for branch in tree:
            yield from leaves(branch)
    else:
        yield tree
