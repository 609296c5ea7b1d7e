"""The stratified split is scikit-learn's own, picture by picture."""

from __future__ import annotations

import numpy as np
import pytest
from tiers import draw

from residua.data.splits import hold_out
from residua.data.stratified import stratify


@pytest.mark.parametrize("trial", range(4))
def test_it_is_the_split_that_scikit_learn_draws(trial):
    from sklearn.model_selection import train_test_split

    for seed in draw(range(trial * 100, trial * 100 + 100), 25):
        random = np.random.default_rng(seed)
        classes = int(random.integers(1, 12))
        shares = random.dirichlet(np.full(classes, random.choice([0.3, 1, 100])))
        labels = random.choice(classes, size=int(random.choice([30, 200, 1797])), p=shares)
        # Every class twice, and numbers that leave some out, as after lonely pictures are taken out.
        labels = random.permutation(np.concatenate([labels, np.repeat(np.arange(classes), 2)])) * 3
        count = int(random.integers(classes, len(labels) - classes + 1))
        number = int(random.integers(2**32))
        expected = train_test_split(
            np.arange(len(labels)), test_size=count, random_state=number, stratify=labels
        )
        for ours, theirs in zip(stratify(labels, count, number), expected, strict=True):
            assert np.array_equal(ours, np.sort(theirs)), (seed, count, number)


def test_shares_that_come_out_even_are_given_without_a_lot():
    from sklearn.model_selection import train_test_split

    labels = np.arange(60) % 3
    _, expected = train_test_split(np.arange(60), test_size=15, random_state=4, stratify=labels)
    assert np.array_equal(hold_out(labels, 15, 4, ("a", "b", "c"), option="test")[1], np.sort(expected))
