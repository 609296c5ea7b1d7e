"""Trees of variables: flattened, merged, counted and filled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from residua.errors import ModelFileError
from residua.models.architectures.small_resnet import small_resnet
from residua.variables import (
    STATISTICS,
    count_parameters,
    fill,
    flatten,
    merge,
    settled,
    trainable,
    transform,
    unflatten,
)

names = st.text("abcxyz_019", min_size=1, max_size=4) | st.sampled_from(sorted(STATISTICS))
trees = st.recursive(
    st.dictionaries(names, st.integers(), min_size=1, max_size=3),
    lambda inner: st.dictionaries(names, inner | st.integers(), min_size=1, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def tree():
    return {
        "conv": {"weight": np.ones((3, 3, 1, 2), np.float32)},
        "norm": {"weight": np.ones(2, np.float32), "running_mean": np.zeros(2, np.float32)},
        "flat": {},
        "drop": {"key": np.zeros(2, np.uint32)},
    }


@given(trees)
def test_flatten_and_unflatten_are_inverse(tree):
    flat = flatten(tree)
    assert all(not isinstance(value, dict) for value in flat.values())
    assert unflatten(flat) == tree
    assert list(flatten(unflatten(flat))) == list(flat)


@given(trees)
def test_merge_replaces_what_is_named_and_no_more(tree):
    flat = flatten(tree)
    some = {name: object() for name in list(flat)[::2]}
    before = transform(lambda leaf: leaf, tree)
    merged = merge(tree, unflatten(some))
    assert flatten(merged) == flat | some
    assert list(flatten(merged)) == list(flat)
    assert tree == before
    assert merge(tree, {}) == tree


@given(trees)
def test_transform_keeps_structure_and_order(tree):
    doubled = transform(lambda a, b: (a, b), tree, transform(str, tree))
    assert flatten(doubled) == {name: (leaf, str(leaf)) for name, leaf in flatten(tree).items()}
    assert list(flatten(doubled)) == list(flatten(tree))


@given(trees)
def test_trainable_leaves_out_the_statistics(tree):
    wanted = {n: leaf for n, leaf in flatten(tree).items() if n.split(".")[-1] not in STATISTICS}
    assert flatten(trainable(tree)) == wanted


def test_trainable_drops_empty_branches(tree):
    assert set(trainable(tree)) == {"conv", "norm"}
    assert count_parameters(tree) == 20


def test_fill_gives_the_template_back(tree, rng):
    flat = {name: array + 1 for name, array in flatten(tree).items()}
    filled = fill(tree, dict(reversed(flat.items())), "w.safetensors")
    assert list(filled) == list(tree)
    assert filled["flat"] == {}
    for name, array in flatten(filled).items():
        assert np.array_equal(array, flat[name])
        assert array.dtype == flatten(tree)[name].dtype


def test_fill_takes_the_templates_precision(tree):
    flat = {name: array.astype(np.float64) for name, array in flatten(tree).items()}
    assert fill(tree, flat, "w")["conv"]["weight"].dtype == np.float32


def test_fill_lists_what_is_missing_unexpected_and_misshapen(tree):
    flat = flatten(tree)
    del flat["conv.weight"]
    flat["head.bias"] = np.zeros(3)
    flat["norm.weight"] = np.zeros(5, np.float32)
    with pytest.raises(ModelFileError) as caught:
        fill(tree, flat, "w.safetensors")
    message = str(caught.value)
    assert message.startswith(
        "w.safetensors does not hold the weights of this network: missing conv.weight; "
    )
    assert "unexpected head.bias" in message
    assert "misshapen norm.weight (5,) instead of (2,)" in message
    assert "\n" not in message


def test_names_in_messages_stay_in_one_line(tree):
    with pytest.raises(ModelFileError, match=r"unexpected odd\\nname"):
        fill(tree, {**flatten(tree), "odd\nname": np.zeros(1)}, "w")


def test_fill_shortens_long_lists():
    wanted, other = (small_resnet(depth=8, width=w).init(np.random.default_rng(0)) for w in (4, 8))
    with pytest.raises(ModelFileError, match=r"misshapen .* and \d+ more") as caught:
        fill(wanted, flatten(other), "w")
    assert len(str(caught.value)) < 600


def test_settled_kernels_cannot_be_written_to_and_others_still_can():
    shared, own = np.ones((3, 3, 4, 4), np.float32), np.ones((1, 1, 4, 4), np.float32)
    trained = {"conv": {"weight": shared}, "linear": {"weight": np.ones((4, 2))}}
    frozen = settled(
        {"conv": {"weight": shared}, "next": {"weight": own}, "linear": trained["linear"]}, trained
    )
    assert frozen["next"]["weight"] is own
    assert frozen["linear"]["weight"] is trained["linear"]["weight"]
    for name in ("conv", "next"):
        with pytest.raises(ValueError, match="read-only"):
            frozen[name]["weight"][:] = 0
    shared[:] = 2
    assert (frozen["conv"]["weight"] == 1).all()
