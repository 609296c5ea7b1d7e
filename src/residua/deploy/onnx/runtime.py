"""ONNX Runtime and the onnx package: what proves a file, and is needed for nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.cores import available_cores
from residua.data.pictures.selection import Images
from residua.deploy.onnx.network import IMAGES, PROBABILITIES_OUT
from residua.deploy.packages import missing_packages, require_packages
from residua.errors import ResiduaError, one_line

PACKAGES = ("onnx", "onnxruntime")
SECONDS, LEAST_ROUNDS = 2.0, 3  # of a comparison of speeds


def missing() -> list[str]:
    """Which of the two packages are not installed."""
    return missing_packages(PACKAGES)


def require(what: str) -> None:
    """Raise ConfigError where a package is missing that `what` takes."""
    require_packages(what, PACKAGES, "onnx")


def installed_version(name: str) -> str | None:
    """A package's version; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def check_file(content: bytes) -> None:
    """Hold the file to onnx's full check and strict shape inference. Raises ResiduaError."""
    import onnx

    try:
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model, full_check=True)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except Exception as error:  # the checker and protobuf raise kinds of their own
        raise ResiduaError(f"onnx's checker refuses the file: {one_line(error, 300)}") from None


def open_session(content: bytes, threads: int | None) -> Any:
    """A session of ONNX Runtime on the processor. Raises ResiduaError where it refuses the file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base but this
        raise ResiduaError(f"onnxruntime refuses the file: {one_line(error, 300)}") from None


def answer(session: Any, images: Images, batch: int) -> NDArray[np.float32]:
    """Probabilities (N, classes) for (N, H, W, C) pictures."""
    parts = [
        session.run([PROBABILITIES_OUT], {IMAGES: np.ascontiguousarray(images[start : start + batch])})[0]
        for start in range(0, len(images), batch)
    ]
    return np.concatenate(parts)


def seconds_a_picture(sessions: Sequence[Any], images: Images) -> list[float]:
    """The least time of each session for one picture of a batch, the sessions taking turns."""
    pictures = np.ascontiguousarray(images)
    least, begun, rounds = [float("inf")] * len(sessions), time.monotonic(), 0
    while rounds < LEAST_ROUNDS or time.monotonic() - begun < SECONDS:
        rounds += 1
        for index, session in enumerate(sessions):
            before = time.perf_counter()
            session.run([PROBABILITIES_OUT], {IMAGES: pictures})
            least[index] = min(least[index], time.perf_counter() - before)
    return [seconds / len(pictures) for seconds in least]
