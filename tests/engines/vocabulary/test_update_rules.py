"""The optimisers' arithmetic agrees with PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

from residua.testing.arrays import distance

torch = pytest.importorskip("torch", reason="PyTorch is the oracle here: pip install residua[peer]")

PLAIN = {"decay": 0.0, "decoupled": False}
DECAY = {"decay": 0.01, "decoupled": False}
MOMENTS = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
UPDATES = {
    "sgd": ("sgd", PLAIN | {"momentum": 0.0, "nesterov": False}, "SGD", {}),
    "momentum": ("sgd", PLAIN | {"momentum": 0.9, "nesterov": False}, "SGD", {"momentum": 0.9}),
    "decay": (
        "sgd",
        DECAY | {"momentum": 0.9, "nesterov": False},
        "SGD",
        {"momentum": 0.9, "weight_decay": 0.01},
    ),
    "nesterov": (
        "sgd",
        DECAY | {"momentum": 0.8, "nesterov": True},
        "SGD",
        {"momentum": 0.8, "weight_decay": 0.01, "nesterov": True},
    ),
    "adam": ("adam", PLAIN | MOMENTS, "Adam", {}),
    "adam with decay": ("adam", DECAY | MOMENTS, "Adam", {"weight_decay": 0.01}),
    "adamw": ("adam", MOMENTS | {"decay": 0.1, "decoupled": True}, "AdamW", {"weight_decay": 0.1}),
    "rmsprop": (
        "rmsprop",
        PLAIN | {"alpha": 0.9, "eps": 1e-8, "momentum": 0.0},
        "RMSprop",
        {"alpha": 0.9},
    ),
    "rmsprop with momentum": (
        "rmsprop",
        DECAY | {"alpha": 0.99, "eps": 1e-6, "momentum": 0.9},
        "RMSprop",
        {"alpha": 0.99, "eps": 1e-6, "momentum": 0.9, "weight_decay": 0.01},
    ),
}


@pytest.mark.parametrize("name", UPDATES)
def test_optimizers_over_twenty_steps(engine, rng, name):
    rule, options, peer_name, peer_options = UPDATES[name]
    weight = rng.normal(size=(4, 3))
    peer = torch.tensor(weight.copy(), requires_grad=True)
    optimizer = getattr(torch.optim, peer_name)([peer], lr=0.01, **peer_options)
    state = [weight, *(np.zeros_like(weight) for _ in range(1 if rule == "sgd" else 2))]
    for number in range(1, 21):
        # A gradient that depends on the weight, so that a difference would grow.
        noise = rng.normal(size=weight.shape)
        count = {"count": np.array(number)} if rule == "adam" else {}
        given = [[array] for array in (*state, np.sin(state[0]) + noise)]
        rest = {name: value for name, value in options.items() if name != "decay"}
        made = getattr(engine, rule)(*given, 0.01, decays=[options["decay"]], **rest, **count)
        state = [array for (array,) in made]
        peer.grad = torch.sin(peer.detach()) + torch.tensor(noise)
        optimizer.step()
        assert distance(state[0], peer.detach().numpy()) < 1e-12, f"step {number}"
