"""Central differences: what every hand-written backward step is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from residua.engines.vocabulary.core import Array

STEP = 1e-4  # largest step; the error of the extrapolated difference goes with its fourth power
ATTEMPTS = 8
RANDOM_DIRECTIONS = 3
FEW = 64  # arrays up to this many numbers are tried number by number
SAMPLE = 3  # of larger ones, so many numbers


def compare_gradient(
    respond: Callable[[Array], Array],
    point: Array,
    dy: Array,
    gradient: Array,
    rng: np.random.Generator,
    *,
    tolerance: float,
    what: str,
    thorough: bool,
) -> None:
    """Hold `gradient` to the slopes of sum(dy * respond(point)) along many directions.

    `thorough` tries every number of a small array, otherwise a sample. Raises AssertionError, naming
    `what`, where a slope differs by more than `tolerance`, relative to the larger of the slope and what
    such a direction gives on average; and where the function has no slope that two step sizes agree on.

    Whether a direction straddles a kink is decided by the forward pass alone: a wrong gradient cannot
    change that, and is never excused by it.
    """
    if not gradient.size:
        return
    mean_square = float(np.sqrt(np.mean(np.square(gradient))))
    for label, draw in _directions(gradient, rng, thorough):
        numeric, direction, noise = _slope(respond, point, dy, draw, mean_square, tolerance, what, label)
        analytic = float(np.vdot(gradient, direction))
        usual = mean_square * float(np.linalg.norm(direction))
        scale = max(abs(numeric), abs(analytic), usual)
        error = abs(analytic - numeric)
        # Written so that NaN fails.
        if not error <= tolerance * scale + noise:
            raise AssertionError(
                f"{what} is wrong along {label}: backward says {analytic:.9g}, central differences of "
                f"forward say {numeric:.9g}; relative error {error / scale if scale else error:.3g}, "
                f"allowed {tolerance:.3g}"
            )


def _directions(
    gradient: Array, rng: np.random.Generator, thorough: bool
) -> Iterator[tuple[str, Callable[[], Array]]]:
    largest = float(np.max(np.abs(gradient)))
    if largest > 0:
        # A gradient of the wrong length shows most along itself.
        yield "itself", lambda: gradient / largest
    for number in range(RANDOM_DIRECTIONS):
        yield f"random direction {number}", lambda: rng.choice((-1.0, 1.0), gradient.shape)
    count = gradient.size if thorough and gradient.size <= FEW else min(SAMPLE, gradient.size)
    for place in sorted(rng.permutation(gradient.size)[:count]):
        index = tuple(int(i) for i in np.unravel_index(int(place), gradient.shape))
        unit = np.zeros(gradient.shape)
        unit[index] = 1.0
        yield f"coordinate {index}", lambda unit=unit: unit  # type: ignore[misc]


def _slope(
    respond: Callable[[Array], Array],
    point: Array,
    dy: Array,
    draw: Callable[[], Array],
    mean_square: float,
    tolerance: float,
    what: str,
    label: str,
) -> tuple[float, Array, float]:
    """The slope, the direction it was taken along, and how much of it may be rounding."""
    for attempt in range(ATTEMPTS):
        direction, step = draw(), STEP / 3**attempt

        def difference(step: float, direction: Array = direction) -> tuple[float, float]:
            ahead, behind = respond(point + step * direction), respond(point - step * direction)
            size = float(np.linalg.norm(dy * ahead))
            # Differences before the sum: a large sum would swallow them.
            return float(np.vdot(dy, ahead - behind)) / (2 * step), size

        wide, size = difference(step)
        narrow, _ = difference(step / 2)
        noise = 8 * np.finfo(np.float64).eps * size / step
        scale = max(abs(wide), abs(narrow), mean_square * float(np.linalg.norm(direction)))
        if abs(wide - narrow) <= tolerance * scale / 4 + noise:
            return (4 * narrow - wide) / 3, direction, float(noise)
    raise AssertionError(
        f"{what} cannot be compared along {label}: after {ATTEMPTS} attempts with ever smaller steps, "
        f"central differences of forward still disagree ({wide:.6g} and {narrow:.6g}). Either the input lies "
        "on a kink, or forward does not depend on its arguments alone"
    )
