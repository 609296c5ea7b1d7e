"""What an export came to, in words."""

from __future__ import annotations

from residua.deploy.onnx.exporting import Export, Smaller
from residua.deploy.onnx.verification import NOISE, TOLERANCE, Verification, named
from residua.files.names import printable


def export_text(found: Export) -> str:
    """The file, the proof, and what smaller weights cost."""
    transposes = f"{found.transposes} transpose{'s' * (found.transposes != 1)}"
    lines = [
        f"{printable(found.model['name'])} in ONNX: {_size(len(found.content))}, weights in {found.weights}, "
        f"opset {found.opset}, IR version {found.ir_version}, {found.nodes} nodes, {transposes}"
    ]
    if found.verification is not None:
        lines += _proof_lines(found.verification)
    if found.unproved is not None:
        lines.append(f"  without proof: {found.unproved}{_remedy(found.unproved)}")
    if found.smaller is not None:
        lines += _smaller_lines(found.smaller)
    return "\n".join(lines)


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def _remedy(reason: str) -> str:
    return " (pip install 'residua[onnx]')" if "installed" in reason else ""


def _proof_lines(found: Verification) -> list[str]:
    pictures = "pictures of noise" if found.data == NOISE else f"pictures ({printable(found.data)})"
    lines = [
        f"  onnx {found.onnx}: full check and strict shapes passed",
        f"  onnxruntime {found.onnxruntime}, {found.pictures:,} {pictures}: the same answer for "
        f"{found.same:,}; largest difference of a probability {found.largest_difference:.1e}",
        f"  near ties (two best within {TOLERANCE:.0e}): {found.near_ties:,}",
    ]
    for change in named(found).changes:
        lines.append(
            f"    {printable(change.picture)}: {printable(change.residua)}, by ONNX Runtime "
            f"{printable(change.onnx)}; they lie {change.margin:.1e} apart"
        )
    if found.onnx_accuracy is not None and found.accuracy is not None:
        own = "as residua"
        if found.onnx_accuracy != found.accuracy:
            own = f"residua: {100 * found.accuracy:.2f} %"
        lines.append(f"  right answers: {100 * found.onnx_accuracy:.2f} % ({own})")
    return lines


def _smaller_lines(found: Smaller) -> list[str]:
    float_ms, own_ms = (1000 * seconds for seconds in found.seconds)
    lines = [
        f"  {found.weights} beside float32: {_size(found.bytes)} for {_size(found.float_bytes)}; the same "
        f"answer for {found.same:,} of {found.pictures:,}; largest difference of a probability "
        f"{found.largest_difference:.1e}"
    ]
    if found.accuracy is not None and found.float_accuracy is not None:
        fitted = f", fitted on {found.calibrated_on:,} others" if found.calibrated_on else ""
        lines.append(
            f"    right answers: {100 * found.accuracy:.2f} % for {100 * found.float_accuracy:.2f} %, a loss "
            f"of {100 * found.loss:.2f} points{fitted}"
        )
    lines.append(
        f"    speed in ONNX Runtime: {own_ms:.3f} ms a picture for {float_ms:.3f} ms "
        f"({float_ms / own_ms:.2f} times as fast)"
    )
    return lines
