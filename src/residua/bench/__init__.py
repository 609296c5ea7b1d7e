"""Benchmarks: residua beside PyTorch and the runtimes that people deploy with (`residua bench`).

May import: config, data, deploy, engines, errors, files, insight, layers, models, training, variables.

PyTorch is imported by files called `pytorch` or `pytorch_...` alone, the other peers by `runtimes.sides`, and
each only where it is installed. Without any residua's times alone are shown.
"""

from __future__ import annotations

from residua.errors import ConfigError, near

# What --cases may name.
CASES = {
    "main": "a ResNet-20 train step, batch 128, with loader and augmentation on residua's side",
    "bare": "the same step on one batch that lies ready",
    "deep": "the same step of ResNet-56",
    "batches": "the same step with batches of 32, 100 and 127",
    "inference": "six networks' answers for a batch and for one picture, beside every runtime of --peers",
    "layers": "single convolutions, forward and backward",
    "fast-cifar": "the convolutions of a fast CIFAR network (airbench94), batches of 128 and 1,024",
    "speed-run": "a train step of the recipe for 94 % on CIFAR-10 (airbench94, batch 1,024)",
    "capsules": "a train step of CapsNet on pictures of 28x28, batch 128, by Adam",
    "big": "train steps of ResNet-18, VGG16 and ResNet-50, and ResNet-50's inference",
    "denormals": "weights and activations full of denormals against ordinary ones",
    "scaling": "one thread against two",
    "memory": "peak memory of a process that trains",
    "startup": "a process's start to the end of its first train step, kernels there and not",
    "pipeline": "whole programs: photographs to answers, transfer learning, CIFAR-10's epoch; their memory",
    "ranks": "one training process of two threads beside two of one, by mpiexec; not part of all",
    "waiting": "verbs whose answers somebody waits for: predict on the default engine, explain, report",
    "smoke": "a tiny network, to see that everything runs; not part of all",
}
# What --peers may name: modules, and what people call them.
PEERS = {"torch": "PyTorch", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
ALL = tuple(name for name in CASES if name not in ("smoke", "ranks"))


def chosen_cases(names: tuple[str, ...]) -> tuple[str, ...]:
    """The cases of those names, "all" spelled out, each once. Raises ConfigError for an unknown one."""
    if not names:
        raise ConfigError(f"--cases takes one or more cases.{near('', CASES)}")
    for name in names:
        if name not in CASES and name != "all":
            raise ConfigError(f"there is no case {name!r}.{near(name, {*CASES, 'all'})}")
    spelled = [case for name in names for case in (ALL if name == "all" else (name,))]
    return tuple(dict.fromkeys(spelled))


def chosen_peers(names: tuple[str, ...]) -> tuple[str, ...]:
    """The peers of those names, each once. Raises ConfigError for an unknown one."""
    for name in names:
        if name not in PEERS:
            raise ConfigError(f"there is no peer {name!r}.{near(name, PEERS)}")
    return tuple(dict.fromkeys(names))
