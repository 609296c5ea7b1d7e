"""What is inside a network in words: the channels that are never on."""

from __future__ import annotations

from residua.insight.inspection.numbers import Inside


def dead_text(inside: Inside) -> str:
    """The dead units by layer and number."""
    count = len(inside.places)
    if not inside.dead:
        return f"  dead units: none; in {inside.looked_at} layers all channels were on, on {count:,} pictures"
    total = sum(len(layer.channels) for layer in inside.dead)
    lines = [f"  dead units: {total:,}, off for all of {count:,} pictures"]
    for layer in inside.dead:
        numbers = ", ".join(map(str, layer.channels[:20]))
        more = f" and {len(layer.channels) - 20} more" if len(layer.channels) > 20 else ""
        lines.append(f"    {layer.layer}: {len(layer.channels)} of {layer.of} channels: {numbers}{more}")
    return "\n".join(lines)
