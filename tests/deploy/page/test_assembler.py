"""WebAssembly's text becomes bytes that engines take."""

from __future__ import annotations

import pytest
from page_scripts import run_in_node

from residua.deploy.page.assembler import assemble
from residua.errors import ResiduaError

ADD = """(module (import "page" "memory" (memory 1))
  ;; a + 300 b
  (func (export "add") (param $a i32) (param $b i32) (result i32)
    (i32.add (local.get $a) (i32.mul (i32.const 300) (local.get $b)))))"""


def test_a_small_module_byte_by_byte():
    # By the Core Specification 2.0, section 5.5.
    assert assemble(ADD) == bytes.fromhex(
        "0061736d01000000" "010701" "60027f7f017f" "021001" "0470616765" "066d656d6f7279" "020001"
        "03020100" "070701" "03616464" "0000" "0a0d01" "0b00" "2000" "41ac02" "2001" "6c" "6a" "0b"
    )  # fmt: skip


def test_it_computes():
    script = """
    const module = new WebAssembly.Module(Uint8Array.from(input.payload));
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { add } = new WebAssembly.Instance(module, { page: { memory } }).exports;
    console.log(JSON.stringify([add(1, 2), add(5, -1)]));
    """
    assert run_in_node(script, list(assemble(ADD))) == [601, -295]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(module (func $f (f64.sqrt (f64.const 1))))", "no instruction f64.const"),
        ("(module (func $f (local.get $a)))", r"local.get \$a cannot be read"),
        ("(module (table 1))", "imports and functions"),
        ("(module", "brackets"),
        ("(module))", "closes more"),
    ],
)
def test_what_it_does_not_know_is_named(text, said):
    with pytest.raises(ResiduaError, match=said):
        assemble(text)
