"""What splits and folds are called."""

from __future__ import annotations

import pytest

from residua.data.sources.split_names import is_fold, is_part, split_of


@pytest.mark.parametrize(
    ("split", "names"),
    [
        (
            "train",
            "train Train TRAIN training Training trainset TrainSet train_set train-set seg_train "
            "train_images TrainingSet Training_Data train2017 1_train trainimages public_train",
        ),
        ("validation", "val Val VAL valid validation Validation dev valset val2017 validation_set ValidSet"),
        (
            "test",
            "test Test TEST testing Testing eval evaluation test_set TestImages holdout hold-out",
        ),
        (
            None,
            "cat trains_and_buses training_shoes bus unknown pred test1 train_dogs tester detrain latest "
            "contest 2017 Default évaluation",
        ),
    ],
)
def test_splits(split, names):
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(names.split(), split)


def test_folds_and_parts():
    for name in ("fold1", "fold_2", "Fold 3", "k-fold1", "kfold4", "cv1", "2nd fold"):
        assert is_fold(name), name
        assert is_part(name), name
    for name in ("part1", "batch_2", "split 3"):
        assert not is_fold(name), name
        assert is_part(name), name
    for name in ("folder", "fold", "part", "cat1", "1", "partridge"):
        assert not is_part(name), name
