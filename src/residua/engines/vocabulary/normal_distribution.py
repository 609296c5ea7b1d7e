"""The standard normal distribution over an engine's NumPy-like module, in the precision of its input.

NumPy knows no error function. Of t >= 0 the tail is Φ(-t) = exp(-t²/2) R(t), where R is smooth and falls
like 1/t: R(t) (t + 3) is a polynomial in u = (t - 3) / (t + 3) (Shepherd and Laframboise 1981, "Chebyshev
approximation of (1 + 2x) exp(x²) erfc x", Mathematics of Computation 36, whose form this is). The
coefficients are our own fit, 1e-15 of R away at most.
"""

from __future__ import annotations

from typing import Any

Array = Any

MIDDLE = 3.0
DENSITY = 0.3989422804014327  # 1 / sqrt(2 pi)
# Of u⁰, u¹, ...
TAIL = (
    0.7290836901333728, -0.5093319819174882, 0.2300177199746642, -0.04726302514309553, -0.010462867026418972,
    0.006972621243627559, 0.00102759232171059, -0.0010458286551423696, -0.0002565759964511179,
    0.00015439459175980882, 7.881663266244396e-05, -1.3245855044051051e-05, -2.0704274482501856e-05,
    -3.521323381121921e-06, 3.6774551071953163e-06, 2.271369909010425e-06, -5.189335754687447e-08,
    -6.247075165039166e-07, -2.1323141129897602e-07, 8.085587231693189e-08, 6.096266630744036e-08,
    -2.419380727104193e-10, -4.840499319209716e-09,
)  # fmt: skip
FARTHEST = 37.5  # beyond, exp(-t²/2) is no normal float64, and squares would overflow in float32


def distribution_and_density(xp: Any, x: Array) -> tuple[Array, Array]:
    """Φ(x), the probability of numbers below x, and its derivative, the density."""
    t = xp.minimum(xp.abs(x), FARTHEST)
    bell = xp.exp(-0.5 * t * t)
    near = 1 / (t + MIDDLE)
    u = (t - MIDDLE) * near
    polynomial = TAIL[-1] * u + TAIL[-2]
    for coefficient in TAIL[-3::-1]:
        polynomial = polynomial * u + coefficient
    tail = bell * near * polynomial
    return xp.where(x > 0, 1 - tail, tail), DENSITY * bell
