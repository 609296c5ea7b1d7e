"""scikit-learn's contract: its own checks, its tools around a classifier, and what programs do to one."""

from __future__ import annotations

import pickle
import signal
import threading
import warnings
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import residua
from residua.errors import ConfigError, DataError, ResiduaError

# The check that does not hold, and why; docs/classifier.md says so, too.
EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": "a picture of weight 2 is not drawn into two batches"
}
QUICK = {
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_mixin_order",
    "check_parameters_default_constructible",
    "check_estimators_unfitted",
    "check_valid_tag_types",
    "check_get_params_invariance",
    "check_set_params",
    "check_requires_y_none",
    "check_complex_data",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_fit1d",
    "check_fit2d_1sample",
    "check_estimator_sparse_array",
    "check_estimators_empty_data_messages",
    "check_supervised_y_no_nan",
    "check_classifiers_regression_target",
    "check_n_features_in_after_fitting",
    "check_sample_weights_shape",
}


def checks():
    tiny = residua.Classifier(width=8, engine="numpy", epochs=20, options={"threads": 1})
    for estimator, check in estimator_checks_generator(tiny):
        name = check.func.__name__ if isinstance(check, partial) else check.__name__
        marks = [] if name in QUICK else [pytest.mark.exhaustive]
        if name in EXPECTED_TO_FAIL:
            marks.append(pytest.mark.xfail(reason=EXPECTED_TO_FAIL[name], strict=True))
        yield pytest.param(estimator, check, id=name, marks=marks)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows(data):
    X, y = data
    return X.reshape(len(X), -1) / 16, np.array(["left", "middle", "right"])[y]


@pytest.mark.exhaustive
def test_pipelines_searches_and_ensembles(rows, tiny):
    X, y = rows
    small = residua.Classifier(**tiny)
    assert make_pipeline(StandardScaler(), small).fit(X, y).score(X, y) > 0.6
    scores = cross_val_score(small, X, y, cv=2, n_jobs=2)
    assert np.isfinite(scores).all()
    grid = {"epochs": np.arange(1, 3), "width": [np.int64(4)], "flip": [np.bool_(False)]}
    search = GridSearchCV(residua.Classifier(**tiny), grid, cv=2, error_score="raise").fit(X, y)
    assert search.predict(X[:3]).shape == (3,)
    calibrated = CalibratedClassifierCV(clone(small), cv=2).fit(X, y)
    assert calibrated.predict_proba(X[:3]).shape == (3, 3)
    voting = VotingClassifier([("a", clone(small)), ("b", residua.Classifier(**tiny, seed=1))], voting="soft")
    assert voting.fit(X, y).predict(X[:3]).shape == (3,)


def test_a_fitted_one_is_pickled_and_cloned(on_arrays, data):
    X, _ = data
    expected = on_arrays.predict_proba(X)
    again = pickle.loads(pickle.dumps(on_arrays))
    assert (again.predict_proba(X) == expected).all()
    assert len(pickle.dumps(on_arrays)) < 500_000, "no engine and no pictures"
    fresh = clone(on_arrays)
    with pytest.raises(NotFittedError):
        fresh.predict(X)
    assert "Classifier(" in repr(on_arrays)
    assert not hasattr(on_arrays, "partial_fit")


def test_fitting_again_begins_anew_and_changes_nothing_else(tiny, data):
    X, y = data
    before = X.copy(), y.copy()
    options = {"average": 0.5}
    one = residua.Classifier(**tiny | {"epochs": 1}, options=options)
    first = one.fit(X, y).predict_proba(X)
    assert (one.fit(X, y).predict_proba(X) == first).all()
    assert (before[0] == X).all()
    assert (y == before[1]).all()
    assert options == {"average": 0.5}
    rows = X.reshape(len(X), -1)
    assert one.fit(rows, y).n_features_in_ == 64
    assert one.limits_ == (0.0, 255.0)
    assert one.fit(X, y).limits_ is None


def test_a_failed_fit_leaves_the_classifier_as_it_was(tiny, data):
    X, y = data
    one = residua.Classifier(**tiny | {"epochs": 1}).fit(X, y)
    before = one.predict_proba(X)
    for wrong in ((X.reshape(len(X), -1), [None] * len(X)), (np.zeros((2, 9)), [0, 1.5]), (X, y[:3])):
        with pytest.raises(ResiduaError):
            one.fit(*wrong)
        assert one.n_features_in_ == 64
        assert (one.predict_proba(X) == before).all()


def test_ctrl_c_is_keyboard_interrupt_for_whoever_called(tiny, data, monkeypatch):
    """Also to tools that go on after a fit that failed, and with the state from before."""
    from residua.training.loop import Training

    X, y = data
    one = residua.Classifier(**tiny | {"epochs": 1}).fit(X, y)
    before = one.predict_proba(X)
    step = Training._step

    def interrupted(self, *arguments):
        step(self, *arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Training, "_step", interrupted)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        one.set_params(epochs=3).fit(X, y)
    assert (one.predict_proba(X) == before).all()
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(residua.Classifier(**tiny), X, y, cv=2, error_score=0.0)
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_while_the_last_epoch_is_judged_is_not_swallowed(tiny, data, monkeypatch):
    from residua.training.loop import Training

    validate = Training.validate

    def interrupted(self, phase):
        signal.raise_signal(signal.SIGINT)
        return validate(self, phase)

    monkeypatch.setattr(Training, "validate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        residua.Classifier(**tiny | {"epochs": 1}).fit(*data)


def test_threads_at_once_get_the_bits_of_one(on_arrays, data):
    X, _ = data
    expected = on_arrays.predict_proba(X)
    answers = {}

    def work(number):
        answers[number] = [on_arrays.predict_proba(X) for _ in range(3)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all((got == expected).all() for several in answers.values() for got in several)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.exhaustive)])
def test_other_processes_get_the_same_bits(on_arrays, data, start):
    X, _ = data
    expected = on_arrays.predict_proba(X)
    with get_context(start).Pool(2) as pool:
        answers = [pool.apply_async(on_arrays.predict_proba, (X,)) for _ in range(4)]
        assert all((answer.get(60) == expected).all() for answer in answers)


def test_engines_are_opened_once(on_arrays, data, monkeypatch):
    from residua.engines import borrowing

    X, _ = data
    on_arrays.predict(X)
    monkeypatch.setattr(borrowing, "open_engine", lambda *_, **__: pytest.fail("a new engine"))
    for _ in range(3):
        on_arrays.predict(X)


def test_weights_say_what_counts(tiny, data):
    X, y = data
    two = np.flatnonzero(y < 2)
    X, y = X[two], y[two]
    confused = np.where(np.arange(len(y)) % 3 == 0, 1 - y, y)
    trusted = (confused == y).astype(float)
    one = residua.Classifier(**tiny | {"epochs": 8}).fit(X, confused, sample_weight=trusted)
    assert one.score(X, y) > 0.9
    assert one.score(X, confused, sample_weight=trusted) > 0.9
    assert one.score(X, confused) < 0.8
    kept = trusted > 0
    assert (one.predict_proba(X) == clone(one).fit(X[kept], y[kept]).predict_proba(X)).all()
    lopsided = clone(one).set_params(class_weight={0: 1000, 1: 1e-4}).fit(X, y)
    assert (lopsided.predict(X) == 0).mean() > 0.8
    judged = clone(one).set_params(class_weight="balanced", validation=0.2).fit(X, y)
    assert judged.score(X, y) > 0.8
    with pytest.raises(ConfigError, match="mixed pictures have no weights"):
        clone(one).set_params(options={"mixup": 0.2}).fit(X, y, sample_weight=trusted)


def test_random_state_takes_the_place_of_the_seed(tiny, data):
    X, y = data
    answers = {}
    for name, state in {
        "seed": {"seed": 3},
        "int": {"random_state": 3},
        "numpy": {"random_state": np.int64(3)},
        "state": {"random_state": np.random.RandomState(0)},
        "same state": {"random_state": np.random.RandomState(0)},
        "generator": {"random_state": np.random.default_rng(0)},
    }.items():
        answers[name] = residua.Classifier(**tiny | {"epochs": 1} | state).fit(X, y).predict_proba(X)
    assert (answers["seed"] == answers["int"]).all()
    assert (answers["int"] == answers["numpy"]).all()
    assert (answers["state"] == answers["same state"]).all()
    assert (answers["state"] != answers["int"]).any()
    for wrong in (-1, 1.5, "x", True):
        with pytest.raises(ConfigError, match="random_state takes"):
            residua.Classifier(random_state=wrong).fit(X, y)


def test_score_looks_at_its_labels(on_arrays, data):
    X, y = data
    with pytest.raises(DataError, match=r"1 of 60 \(row 3\)"):
        on_arrays.score(X, np.where(np.arange(60) == 3, np.nan, y))
    with pytest.warns(UserWarning, match="20 of 60 labels are none of the model's classes"):
        assert on_arrays.score(X, np.where(y == 2, 9, y)) < 0.7
    with pytest.raises(DataError, match=r"numbers.*texts"):
        on_arrays.score(X, y.astype(str))


@pytest.mark.parametrize("name", ["data", "labels", "from_", "from", "freeze", "run", "size", "validation"])
def test_options_that_arrays_have_no_use_for_are_refused(name, data):
    with pytest.raises(ConfigError, match=f"the option '{name}' is for training on folders"):
        residua.Classifier(options={name: "x"}).fit(*data)


def test_parameters_of_the_wrong_kind_are_said(data):
    for wrong in (
        {"options": 3},
        {"validation": "x"},
        {"validation": True},
        {"epochs": 1.5},
        {"engine": "nump"},
    ):
        with pytest.raises(ResiduaError) as caught:
            residua.Classifier(**wrong).fit(*data)
        assert next(iter(wrong)) in str(caught.value)


def test_names_of_features(rows, tiny):
    pandas = pytest.importorskip("pandas")
    X, y = rows
    table = pandas.DataFrame(X, columns=[f"pixel{number}" for number in range(64)])
    one = residua.Classifier(**tiny | {"epochs": 1}).fit(table, pandas.Series(y))
    assert one.feature_names_in_.tolist() == table.columns.tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (one.predict(table) == one.predict(table.iloc[:, :])).all()
    with pytest.raises(ValueError, match="feature names"):
        one.predict(table.iloc[:, ::-1])
