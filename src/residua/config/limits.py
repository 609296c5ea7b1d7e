"""The range of every number among the options, beyond its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _positive(x: float) -> bool:
    return x > 0


def _natural(x: float) -> bool:
    return x >= 0


def _share(x: float) -> bool:
    return 0 <= x < 1


# What a number must satisfy beyond its type, in words and as a test.
LIMITS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "size": ("at least 8 pixels", lambda x: x >= 8),
    "wide": ("at least 8 pixels", lambda x: x >= 8),
    "limit": ("2 or more pictures", lambda x: x >= 2),
    "resize": ("at least 8 pixels", lambda x: x >= 8),
    "validation": ("a share from 0 to below 1, or a number of pictures", _natural),
    "test": ("a share between 0 and 1", lambda x: 0 < x < 1),
    "crop": ("0 or more pixels", _natural),
    "cutout": ("0 or more pixels", _natural),
    "input": ("at least 8 pixels", lambda x: x >= 8),
    "resized_crop": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "rotate": ("0 to 180 degrees", lambda x: 0 <= x <= 180),
    "shear": ("0 to 80 degrees", lambda x: 0 <= x <= 80),
    "zoom": ("a share from 0 to 0.9", lambda x: 0 <= x <= 0.9),
    # Grows with the square of the pictures' side: 34 suits 32 pixels, half a million 4096.
    "elastic": ("0 to 1000000", lambda x: 0 <= x <= 1_000_000),
    "elastic_smooth": ("0.1 to 1000 pixels", lambda x: 0.1 <= x <= 1000),
    "brightness": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "contrast": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "saturation": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "hue": ("0 to 180 degrees", lambda x: 0 <= x <= 180),
    "tint": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "pca_noise": ("0 to 10", lambda x: 0 <= x <= 10),
    "noise": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "randaugment": ("0 to 100 operations", lambda x: 0 <= x <= 100),
    "magnitude": ("0 to 10", lambda x: 0 <= x <= 10),
    "mixup": ("0 to 100", lambda x: 0 <= x <= 100),
    "cutmix": ("0 to 100", lambda x: 0 <= x <= 100),
    "width": ("1 or more channels", _positive),
    "hidden": ("widths of 1 or more", lambda x: all(width > 0 for width in x)),
    "dropout": ("a share from 0 to below 1", _share),
    # Above 1000 a step could make weights infinite before any loss tells of it.
    "rate": ("above 0 and at most 1000", lambda x: 0 < x <= 1000),
    "momentum": ("a share from 0 to below 1", _share),
    "decay": ("0 or more", _natural),
    "clip": ("0 or more", _natural),
    "smoothing": ("a share from 0 to below 1", _share),
    "average": ("a share from 0 to below 1", _share),
    "rest_rate": ("above 0 and at most 1000", lambda x: 0 < x <= 1000),
    "bias_rate": ("above 0 and at most 1000", lambda x: 0 < x <= 1000),
    "whitening_epochs": ("0 or more", _natural),
    "epochs": ("1 or more", _positive),
    "total_steps": ("1 or more", _positive),
    "batch": ("1 or more", _positive),
    "warmup": ("0 or more epochs", _natural),
    "plateau_patience": ("1 or more epochs", _positive),
    "stop_patience": ("0 or more epochs", _natural),
    "freeze": ("0 or more stages, or all", lambda x: x == "all" or x >= 0),
    "unfreeze_at": ("2 or a later epoch", lambda x: x >= 2),
    "depth_rate": ("above 0 and at most 1", lambda x: 0 < x <= 1),
    "seeds": ("whole numbers from 0", lambda x: all(0 <= seed < 2**63 for seed in x)),
    "seed": ("from 0 to 2^63 - 1", lambda x: 0 <= x < 2**63),
    "threads": ("1 or more", _positive),
    "checkpoint_seconds": ("above 0", _positive),
    "stall": ("1 or more", lambda x: x >= 1),
    "hosts": ("1 or more, or auto", lambda x: x == "auto" or x >= 1),
    "host_id": ("0 or more", _natural),
    "host_wait": ("1 second or more", lambda x: x >= 1),
    "checkpoint_steps": ("0 or more", _natural),
    "top": ("1 or more", _positive),
    "pictures": ("1 to 100", lambda x: 1 <= x <= 100),
    "port": ("0 to 65535", lambda x: 0 <= x <= 65_535),
    "queue": ("1 to 100000", lambda x: 1 <= x <= 100_000),
    "megabytes": ("above 0 and at most 500", lambda x: 0 < x <= 500),
    "opset": ("13 to 22", lambda x: 13 <= x <= 22),
    "many": ("1 to 100000 pictures", lambda x: 1 <= x <= 100_000),
    "many_megabytes": ("above 0 and at most 2000", lambda x: 0 < x <= 2000),
    "explain_seconds": ("above 0", _positive),
    "client_rate": ("above 0 and at most 1000000", lambda x: 0 < x <= 1_000_000),
    "concurrent": ("1 to 1000", lambda x: 1 <= x <= 1000),
    "drain": ("0 to 3600 seconds", lambda x: 0 <= x <= 3600),
    "proof_pictures": ("1 to 1000000", lambda x: 1 <= x <= 1_000_000),
    "variations": ("1 to 100", lambda x: 1 <= x <= 100),
    "rounds": ("1 or more", _positive),
    "sample": ("2 to 100000", lambda x: 2 <= x <= 100_000),
    "show": ("1 to 400", lambda x: 1 <= x <= 400),
    "reject": ("a probability from 0 to 1", lambda x: 0 <= x <= 1),
    "reject_accuracy": ("a share above 0 and at most 1", lambda x: 0 < x <= 1),
    "channels": ("numbers from 0", lambda x: all(number >= 0 for number in x)),
    "lowest": ("above 0 and at most 1000", lambda x: 0 < x <= 1000),
    "highest": ("above 0 and at most 1000", lambda x: 0 < x <= 1000),
    "steps": ("10 to 100000", lambda x: 10 <= x <= 100_000),
    "seconds": ("above 0", _positive),
    "level": ("a share between 0 and 1", lambda x: 0 < x < 1),
    "draws": ("100 to 10000000", lambda x: 100 <= x <= 10_000_000),
    "numbers": ("numbers from 0", lambda x: all(number >= 0 for number in x)),
    "samples": ("1 to 10000", lambda x: 1 <= x <= 10_000),
    "most_steps": ("2 to 100000", lambda x: 2 <= x <= 100_000),
    "patch": ("1 or more pixels", _positive),
    "sheet": ("1 to 100 pictures", lambda x: 1 <= x <= 100),
    "epsilon": ("above 0 and at most 100000, in steps of 1/255", lambda x: 0 < x <= 100_000),
    "most": ("1 to 100000, in steps of 1/255", lambda x: 1 <= x <= 100_000),
    "iterations": ("1 to 100000", lambda x: 1 <= x <= 100_000),
    "confidence": ("a probability from 0 to 0.9999", lambda x: 0 <= x <= 0.9999),
    "part": ("1 to 1000000 pictures", lambda x: 1 <= x <= 1_000_000),
    "max_failures": ("a share from 0 to below 1, or a number of pictures", _natural),
    "workers": ("1 to 1000", lambda x: 1 <= x <= 1000),
    "trials": ("1 to 100000", lambda x: 1 <= x <= 100_000),
    "shortest": ("1 or more epochs", _positive),
    "factor": ("2 or more", lambda x: x >= 2),
    "sizes": ("sizes above 0 and at most 255", lambda x: bool(x) and all(0 < size <= 255 for size in x)),
}
