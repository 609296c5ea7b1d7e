"""What was found in a data set, in words."""

from __future__ import annotations

from residua.data.dataset import SPLITS
from residua.data.quality.findings import Copies, Findings
from residua.training.train import IMBALANCE

_MOST_CLASSES, _MOST_NAMES = 30, 5
_SHORT = 60  # letters of a name that a line has room for


def findings_text(found: Findings) -> str:
    """Counts, sizes, damage, copies and leaks, a paragraph each, and what to do about them at the end."""
    parts = [_counts(found), _files(found), _bad(found), _copies(found), _groups(found)]
    return "\n\n".join(part for part in [f"{found.data}: {found.title}", *parts, _advice(found)] if part)


def _counts(found: Findings) -> str:
    names = [name[:_SHORT] for name in found.classes]
    order = list(range(len(names)))
    omitted = len(names) - _MOST_CLASSES
    if omitted > 0:
        by_size = sorted(order, key=lambda number: -found.counts["train"][number])
        order = sorted(by_size[:_MOST_NAMES]) + sorted(by_size[-_MOST_NAMES:])
    width = max(len("class"), *(len(names[number]) for number in order))
    lines = [f"  {'class':<{width}}" + "".join(f"{split:>12}" for split in SPLITS)]
    for number in order:
        lines.append(
            f"  {names[number]:<{width}}" + "".join(f"{found.counts[s][number]:>12,}" for s in SPLITS)
        )
        if omitted > 0 and number == order[_MOST_NAMES - 1]:
            lines.append(f"  ... {len(names) - 2 * _MOST_NAMES:,} classes of sizes between")
    total = "".join(f"{sum(found.counts[split]):>12,}" for split in SPLITS)
    lines.append(f"  {f'{len(names):,} classes':<{width}}{total}")
    return "\n".join(lines)


def _files(found: Findings) -> str:
    sizes = found.sizes
    if not sizes:
        return ""
    if len(sizes) == 1:
        ((w, h),) = sizes
        text = f"  Sizes: all {w}x{h}"
    else:
        areas = sorted(sizes, key=lambda size: (size[0] * size[1], size))
        (w, h), common = sizes.most_common(1)[0]
        text = (
            f"  Sizes: {len(sizes):,} different, from {areas[0][0]}x{areas[0][1]} to "
            f"{areas[-1][0]}x{areas[-1][1]}; most often {w}x{h} ({common:,})"
        )
    modes = ", ".join(f"{_MODES.get(mode, mode)} {count:,}" for mode, count in found.modes.most_common())
    return f"{text}\n  Modes: {modes}"


_MODES = {
    "L": "grey",
    "RGB": "colour",
    "RGBA": "colour with transparency",
    "LA": "grey with transparency",
    "P": "palette",
    "1": "black and white",
    "CMYK": "CMYK",
}


def _bad(found: Findings) -> str:
    if not found.bad:
        return "  Unreadable: none"
    lines = [f"  Unreadable: {len(found.bad):,}"] + [f"    {reason}" for reason in found.bad[:_MOST_NAMES]]
    if len(found.bad) > _MOST_NAMES:
        lines.append(f"    and {len(found.bad) - _MOST_NAMES:,} more (--json names all)")
    return "\n".join(lines)


def _copies(found: Findings) -> str:
    h, w, _ = found.shape
    lines = _kind(found, found.exact, f"  Exact copies (equal pixels at {w}x{h})")
    if found.near is not None:
        what = "  Near copies (but for a crop, a hue, a compression)"
        if found.compared < sum(map(len, found.splits.values())):
            what += ", of the test split with all others"
        lines += _kind(found, found.near, what)
    return "\n".join(lines)


def _kind(found: Findings, copies: Copies, title: str) -> list[str]:
    if not len(copies.pairs):
        return [f"{title}: none"]
    count = len(copies.pairs)
    lines = [f"{title}: {copies.pictures:,} pictures in {count:,} pair{'s' * (count > 1)}"]
    for (earlier, later), count in copies.across.items():
        if count:
            share = 100 * count / max(len(found.splits[later]), 1)
            lines.append(f"    {later} pictures with a copy in {earlier}: {count:,} ({share:.2f} %)")
    if len(copies.doubts):
        number = int(copies.doubts[0])
        one, other = (found.name(int(places[number])) for places in (copies.pairs.first, copies.pairs.second))
        lines.append(
            f"    pairs with two labels: {len(copies.doubts):,}, such as {one[1]} ({one[2]}) and "
            f"{other[1]} ({other[2]})"
        )
    return lines


def _groups(found: Findings) -> str:
    if not found.groups:
        return ""
    if not found.torn:
        return f"  Groups: {found.groups:,} {found.group}s, each in one split"
    names = ", ".join(found.torn[:_MOST_NAMES]) + (", ..." if len(found.torn) > _MOST_NAMES else "")
    return f"  Groups: {len(found.torn):,} of {found.groups:,} {found.group}s lie in several splits ({names})"


def _advice(found: Findings) -> str:
    lines = []
    test = len(found.splits["test"])
    if found.leaks:
        share = 100 * found.leaks / test
        lines.append(
            f"  Leak: of {test:,} test pictures {found.leaks:,} ({share:.2f} %) are copies of some in train "
            "or validation; a test result may owe that share to memory."
        )
    if found.torn:
        lines.append(
            f"  Leak: a network may know a {found.group} that is in several splits, and not the class. "
            "Split with --groups kept."
        )
    doubts = len(found.exact.doubts) + (0 if found.near is None else len(found.near.doubts))
    if doubts:
        lines.append(f"  Labels: {doubts:,} pairs of copies have two labels. Correct them, or remove both.")
    if found.imbalance > IMBALANCE:
        train = found.counts["train"]
        most, least = (found.classes[train.index(pick(train))] for pick in (max, min))
        lines.append(
            f"  Imbalance: {most} has {found.imbalance:.1f} times the training pictures of {least}. "
            "--balance lets all classes count the same."
        )
    if found.bad:
        lines.append("  Unreadable pictures are left out of training. Mend or remove them.")
    return "\n".join(lines) if lines else "  Nothing stands against training on it."
