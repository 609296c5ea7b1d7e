"""Steps that are played back: the same bytes as when they are run, whatever happens in between."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.config import OptimizerOptions
from residua.engines.numba.trace import compiled_step as compiled
from residua.engines.numba.trace.recording import KernelSequence
from residua.layers import Conv2d, Dropout, GlobalAveragePool, Linear, MaxPool2d, Sequential
from residua.models.architectures.small_resnet import small_resnet
from residua.training.optimizers import make_optimizer
from residua.training.step import make_step, start_state
from residua.variables import flatten, settled, transform

OPTIONS = {
    "sgd": OptimizerOptions(momentum=0.9, decay=1e-4),
    "nesterov with average": OptimizerOptions(momentum=0.9, nesterov=True, average=0.99, clip=1.0),
    "adamw": OptimizerOptions(optimizer="adamw", smoothing=0.1, decay_norms=False),
    "rmsprop": OptimizerOptions(optimizer="rmsprop", momentum=0.5, clip=0.1),
}
STEPS = 7


def batches(count, n=8, size=12):
    rng = np.random.default_rng(3)
    for _ in range(count):
        yield rng.normal(size=(n, size, size, 3)).astype(np.float32), rng.integers(0, 10, n)


def bytes_of(state):
    return {path: np.asarray(array).tobytes() for path, array in flatten(state).items()}


def trained(engine, network, options, *, recorded, weights=None, disturb=lambda: None):
    optimizer = make_optimizer(options)
    step = make_step(network, engine, options)
    state = start_state(network.init(np.random.default_rng(0)), optimizer, options.average)
    losses, kept = [], []
    for number, (pictures, labels) in enumerate(batches(STEPS)):
        state, results = step(state, pictures, labels, weights, 0.05 / (1 + number))
        losses.append(float(results["loss"]))
        kept.append((state, bytes_of(state)))
        disturb()
    # What a step gave stays what it was, however many steps follow.
    assert all(bytes_of(state) == before for state, before in kept)
    assert bool(step._recordings) is recorded
    return losses, kept[-1][1]


def circulating(engine, steps, between=lambda number, state: state):
    """The states' trees by identity and the last one's bytes; `between` sees every state before its step."""
    network, options = small_resnet(depth=8, width=4), OPTIONS["sgd"]
    step = make_step(network, engine, options)
    state = start_state(network.init(np.random.default_rng(0)), make_optimizer(options), options.average)
    seen = []
    for number, (pictures, labels) in enumerate(batches(steps)):
        state, _ = step(between(number, state), pictures, labels, None, 0.05)
        seen.append(id(state))
    assert step._recordings
    return seen, bytes_of(state)


def test_a_state_that_nobody_keeps_is_filled_again(engine):
    seen, _ = circulating(engine, 10)
    assert seen[-1] == seen[-3] == seen[-5]
    assert seen[-2] == seen[-4] != seen[-1]


@pytest.mark.parametrize("what", ["tree", "branch", "array", "part of an array"])
def test_a_state_that_is_kept_in_part_is_never_filled_again(engine, what):
    take = {
        "tree": lambda state: state,
        "branch": lambda state: next(iter(state["variables"].values())),
        "array": lambda state: next(iter(flatten(state["variables"]).values())),
        "part of an array": lambda state: next(iter(flatten(state["slots"]).values()))[..., 1:],
    }[what]
    kept = []

    def keep(number, state):
        part = take(state)
        kept.append((part, bytes_of(part if isinstance(part, dict) else {"it": part})))
        return state

    _, last = circulating(engine, 10, keep)
    for part, before in kept:
        assert bytes_of(part if isinstance(part, dict) else {"it": part}) == before
    assert last == circulating(engine, 10)[1]


@pytest.mark.parametrize("how", ["replaced", "written"])
def test_a_state_that_was_changed_in_between_is_seen_to_be(engine, how):
    """As a step that is not recorded sees it."""

    def change(number, state):
        if number == 8:
            path, array = next(iter(flatten(state["variables"]).items()))
            *above, name = path.split(".")
            branch = state["variables"]
            for part in above:
                branch = branch[part]
            if how == "replaced":
                branch[name] = array + np.float32(1)
            else:
                array += np.float32(1)
        return state

    _, recorded = circulating(engine, 10, change)

    assert recorded != circulating(engine, 10)[1]
    _, other = circulating(engine, 10, lambda number, state: fresh(change(number, state)))
    assert recorded == other


def fresh(tree):
    """A copy, branches and arrays."""
    return {
        name: fresh(branch) if isinstance(branch, dict) else np.array(branch) for name, branch in tree.items()
    }


@pytest.fixture
def never(monkeypatch):
    def forbid():
        monkeypatch.setattr(compiled, "RECORD_AT", 10**9)

    return forbid


@pytest.mark.parametrize("name", OPTIONS)
def test_a_played_step_is_the_step(engine, never, name):
    network = small_resnet(depth=8, dropout=0.2 if name == "adamw" else 0.0)
    weights = np.linspace(0.5, 2, 8, dtype=np.float32) if name == "rmsprop" else None
    played = trained(engine, network, OPTIONS[name], recorded=True, weights=weights)
    never()
    assert trained(engine, network, OPTIONS[name], recorded=False, weights=weights) == played


def test_a_step_with_calls_of_the_reference_is_played_too(engine, never):
    network = Sequential(
        {
            "stem": small_resnet(depth=8).layers["stem"],
            "pool": MaxPool2d(3, 2, 1),
            "stage": small_resnet(depth=8).layers["stage1"],
            "mean": GlobalAveragePool(),
            "drop": Dropout(0.3),
            "head": Linear(16, 10),
        }
    )
    played = trained(engine, network, OPTIONS["sgd"], recorded=True)
    never()
    assert trained(engine, network, OPTIONS["sgd"], recorded=False) == played


def test_what_else_the_engine_does_in_between_changes_nothing(engine, never):
    network = small_resnet(depth=8)
    other = small_resnet(depth=8, width=8)
    variables = other.init(np.random.default_rng(1))
    infer = engine.compile(lambda v, x: other.forward(engine, v, x)[0])
    pictures = next(batches(1))[0]

    def disturb():
        logits, saved, _ = other.forward(engine, variables, pictures)
        other.backward(engine, variables, saved, np.ones_like(engine.plain(logits)))
        infer(variables, pictures)

    played = trained(engine, network, OPTIONS["sgd"], recorded=True, disturb=disturb)
    never()
    assert trained(engine, network, OPTIONS["sgd"], recorded=False) == played


def test_arithmetic_outside_of_the_engine_is_not_played_back(engine):
    weight = np.random.default_rng(0).normal(size=(3, 3, 3, 16)).astype(np.float32)

    def step(x):
        # The mean is NumPy's: a recording would keep the first one for ever.
        shift = np.full(16, x.mean(), np.float32)
        return engine.conv2d(x, weight, shift, stride=1, padding=1)[0]

    run = engine.compile(step)
    for pictures, _ in batches(6):
        assert np.array_equal(run(pictures), engine.plain(step(pictures)))
    assert not run._recordings


def test_a_number_that_changes_from_call_to_call(engine):
    run = engine.compile(lambda a, share: engine.mix([a], [a + 1 if isinstance(a, float) else a], share))
    x = np.arange(40, dtype=np.float32)
    mix = engine.compile(lambda a, b, share: engine.mix([a], [b], share)[0])
    for share in (0.5, 0.25, 0.125, 1.0, 0.0, 0.75):
        assert np.allclose(mix(x, 2 * x, share), x + share * x)
        assert np.allclose(run(x, share)[0], x)
    assert mix._recordings


def test_a_step_that_goes_another_way_is_run(engine):
    network = small_resnet(depth=8)
    step = make_step(network, engine, OPTIONS["sgd"])
    state = start_state(network.init(np.random.default_rng(0)), make_optimizer(OPTIONS["sgd"]), 0.0)
    for pictures, labels in batches(5):
        state, results = step(state, pictures, labels, None, 0.01)
    assert step._recordings
    assert results["finite"]
    before = bytes_of(state)
    spoilt = pictures.copy()
    spoilt[0, 0, 0, 0] = np.nan
    after, results = step(state, spoilt, labels, None, 0.01)
    assert not results["finite"]
    assert bytes_of(after) == before
    _, results = step(after, pictures, labels, None, 0.01)
    assert results["finite"]


def test_other_shapes_and_layouts_have_recordings_of_their_own(engine):
    network = small_resnet(depth=8)
    variables = network.init(np.random.default_rng(0))
    run = engine.compile(lambda v, x: network.forward(engine, v, x)[0])
    few, many = next(batches(1, n=3))[0], next(batches(1, n=8))[0]
    scattered = np.asfortranarray(many)
    expected = {id(x): engine.plain(network.forward(engine, variables, x)[0]).tobytes() for x in (few, many)}
    for _ in range(5):
        assert run(variables, few).tobytes() == expected[id(few)]
        assert run(variables, many).tobytes() == expected[id(many)]
        assert run(variables, scattered).tobytes() == expected[id(many)]
    assert len(run._recordings) == 3


@pytest.mark.parametrize("width", [8, 16])
@pytest.mark.parametrize("count", [1, 4, 20])
def test_played_inference_stays_right(engine, width, count):
    """Transforms kept from one playing to the next lie where no other step of the network writes."""
    network = small_resnet(depth=14, width=width)
    frozen, variables = network.freeze(network.init(np.random.default_rng(0)))
    run = engine.compile(lambda v, x: frozen.infer(engine, v, x))
    for pictures, _ in batches(8, n=count, size=16):
        expected = engine.plain(frozen.infer(engine, variables, pictures)).tobytes()
        assert run(variables, pictures).tobytes() == expected
    assert run._recordings


def test_new_weights_under_an_old_recording(engine):
    network = small_resnet(depth=8)
    frozen, variables = network.freeze(network.init(np.random.default_rng(0)))
    run = engine.compile(lambda v, x: frozen.infer(engine, v, x))
    x = next(batches(1, n=1))[0]
    for _ in range(5):
        run(variables, x)
    assert run._recordings
    _, others = network.freeze(network.init(np.random.default_rng(1)))
    first, second = run(variables, x).tobytes(), run(others, x).tobytes()
    assert first != second
    assert second == engine.plain(frozen.infer(engine, others, x)).tobytes()
    variables["stem"]["weight"][:] = others["stem"]["weight"]
    assert run(variables, x).tobytes() == engine.plain(frozen.infer(engine, variables, x)).tobytes()


def test_a_long_step_is_recorded_when_that_pays(engine, monkeypatch):
    """Recording takes some runs of the step and saves milliseconds of each: not at once, where it is long."""
    network = small_resnet(depth=8, width=4)
    frozen, variables = network.freeze(network.init(np.random.default_rng(0)))
    run = engine.compile(lambda v, x: frozen.infer(engine, v, x))
    x = next(batches(1, n=1))[0]
    monkeypatch.setattr(compiled, "SHORT_SECONDS", 0.0)
    monkeypatch.setattr(compiled, "SAVED_SECONDS", 0.0)
    before = [run(variables, x).tobytes() for _ in range(6)]
    assert not run._recordings
    monkeypatch.setattr(compiled, "SAVED_SECONDS", 1e3)
    assert [run(variables, x).tobytes() for _ in range(2)] == before[:2]
    assert run._recordings


def test_options_are_told_from_a_dictionary(engine):
    def work(given=None, extra=None):
        return engine.relu(given["extra"])[0] if extra is None else engine.add(extra, extra)

    run, x = engine.compile(work), np.full((1, 2, 2, 16), -1, np.float32)
    for _ in range(5):
        assert np.array_equal(run({"extra": x}), 0 * x)
        assert np.array_equal(run(extra=x), 2 * x)


def test_a_replay_on_other_inputs_reads_those(engine):
    """Though addresses are put in only where they are not those of the replay before."""
    run = engine.compile(lambda x: engine.relu(x)[0])
    inputs = [np.full((1, 4, 4, 16), number, np.float32) for number in range(3)]
    results = [run(x) for x in [inputs[0]] * 4 + [inputs[1], inputs[1], inputs[2], inputs[0], inputs[0]]]
    assert [int(y.max()) for y in results] == [0, 0, 0, 0, 1, 1, 2, 0, 0]


def test_a_frozen_tree_that_comes_again_is_known_and_its_changes_are_seen(engine, monkeypatch):
    network = small_resnet(depth=20, width=4)
    trained = network.init(np.random.default_rng(0))
    frozen, variables = network.freeze(trained)
    variables = settled(variables, trained)
    run = engine.compile(lambda v, x: frozen.infer(engine, v, x))
    x = next(batches(1, n=1))[0]
    for _ in range(4):
        before = run(variables, x).tobytes()
    walked = []
    walk = compiled._structure
    monkeypatch.setattr(compiled, "_structure", lambda tree, inputs: walked.append(1) or walk(tree, inputs))
    assert run(variables, x).tobytes() == before
    assert len(walked) == 1  # the picture
    variables["head"]["bias"] = variables["head"]["bias"] + np.float32(1)
    after = run(variables, x).tobytes()
    assert after == engine.plain(frozen.infer(engine, variables, x)).tobytes() != before


@pytest.mark.parametrize(("size", "c", "k", "kernel"), [(9, 16, 16, 3), (9, 16, 20, 3), (6, 144, 80, 1)])
def test_what_is_made_of_fixed_weights_is_made_anew_for_others(engine, size, c, k, kernel, monkeypatch):
    """Kernels of convolutions are transformed or packed once, as long as nobody can write to them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, size, size, c)).astype(np.float32)
    network = Sequential({"conv": Conv2d(c, k, kernel, padding=kernel // 2)})
    trained = [network.init(np.random.default_rng(seed)) for seed in range(2)]
    fixed = [settled(variables, variables) for variables in trained]
    exact = [np.array(engine.plain(network.infer(engine, variables, x))) for variables in trained]
    step = engine.compile(lambda v, x: network.infer(engine, v, x))
    ran = []
    replay = KernelSequence.replay
    monkeypatch.setattr(KernelSequence, "replay", lambda *given: ran.append(1) or replay(*given))
    for number in (0, 0, 0, 0, 1, 1, 0, 0):
        assert np.array_equal(step(fixed[number], x), exact[number])
    ran.clear()
    step(fixed[0], x)
    assert len(ran) == 1  # the convolution alone
    writable = transform(np.array, trained[0])
    for _ in range(3):
        writable["conv"]["weight"] *= 2
        expected = engine.plain(network.infer(engine, transform(np.array, writable), x))
        assert np.array_equal(step(writable, x), expected)
