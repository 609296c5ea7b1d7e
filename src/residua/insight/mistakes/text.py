"""Mistakes in words: the worst, the most confused classes, the most suspicious labels."""

from __future__ import annotations

from residua.files.names import distinct, printable
from residua.insight.mistakes.numbers import Mistakes
from residua.insight.shared.text import cells, padded


def mistakes_text(mistakes: Mistakes, most: int = 20) -> str:
    """How many, the worst by name, the most confused pairs, and the most suspicious labels."""
    a, names = mistakes.answered, distinct(mistakes.answered.classes)
    files = [printable(name) for name in mistakes.answered.pictures.names]
    if not len(mistakes):
        return f"{a.title}: no mistakes, all {len(a):,} pictures are right"
    lines = [f"{a.title}: {len(mistakes):,} of {len(a):,} wrong ({100 * len(mistakes) / len(a):.2f} %)", ""]
    lines.append("  worst: true class, first and second guess")
    for index in mistakes.places[:most].tolist():
        guesses = "   ".join(
            f"{printable(g['class'])} {100 * g['probability']:.1f} %" for g in mistakes.guesses(index)
        )
        lines.append(f"  {files[index]}   is {names[a.labels[index]]}   {guesses}")
    lines += ["", "  most confused"]
    wide = max(cells(names[true]) for true, _, _ in mistakes.pairs)
    lines += [
        f"  {count:5,} x {padded(names[true], wide)}  taken for {names[answer]}"
        for true, answer, count in mistakes.pairs[:10]
    ]
    errors = mistakes.label_errors
    lines += [
        "",
        f"  suspected label errors: {len(errors):,} "
        f"(an estimated {100 * errors.share:.2f} % of the labels; or the model errs)",
    ]
    lines += [
        f"  {files[index]}   labelled {names[a.labels[index]]}   seems {names[seems]} "
        f"({100 * float(a.probabilities[index, seems]):.1f} %)"
        for index, seems in zip(errors.places[:10].tolist(), errors.suspected[:10].tolist(), strict=True)
    ]
    if a.split == "train":
        lines += [
            "",
            "  These pictures were trained on: the model may have learnt their wrong labels by heart.",
        ]
    return "\n".join(lines)
