"""What is written down of a machine tells it from another that bears the same name."""

from __future__ import annotations

import pytest

from residua.training.environment import machine_facts, processor_name


def cpuinfo(*lines):
    """Two cores, as Linux describes them."""
    return "".join(
        f"processor\t: {core}\n" + "".join(f"{line}\n" for line in lines) + "\n" for core in (0, 1)
    )


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (
            ("cpu family\t: 26", "model name\t: AMD EPYC", "flags\t\t: fpu avx2 avx512f avx512bw"),
            "AMD EPYC (family 26, AVX-512)",
        ),
        (("cpu family\t: 6", "model name\t: Old", "flags\t\t: fpu avx avx2"), "Old (family 6, AVX2)"),
        (("cpu family\t: 6", "model name\t: Older", "flags\t\t: fpu sse2"), "Older (family 6)"),
        (("model name\t: ARMv7 Processor rev 4 (v7l)", "Features\t: neon"), "ARMv7 Processor rev 4 (v7l)"),
        (("BogoMIPS\t: 50.00", "Features\t: fp asimd"), ""),
    ],
)
def test_family_and_vectors_stand_beside_the_name(lines, name):
    assert processor_name(cpuinfo(*lines)) == name


def test_this_machine_has_a_name():
    facts = machine_facts()
    assert facts["processor"]
    assert facts["cores"] >= 1
