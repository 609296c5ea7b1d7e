"""Fooling trained models, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.places import stem_of
from residua.config import EvaluateConfig, FoolConfig
from residua.config.options import configure

if TYPE_CHECKING:
    from residua.insight.adversarial.class_visualization import ClassPictures, Noise
    from residua.insight.adversarial.numbers import Fooling
    from residua.insight.adversarial.robustness import Robustness


def fool(
    model: str | Path, file: str | Path, *, say: Any = print, **options: Any
) -> tuple[Fooling, list[Path]]:
    """Change a picture a little until the model sees something else; what came of it, and the files.

    The first file is the changed picture as PNG, the second shows original, change and result. options: the
    fields of `FoolConfig`. Where nothing within the bound fools, `fooled` is False and nothing is written.
    Raises ResiduaError.
    """
    from residua.files.durable import write_durably
    from residua.insight.adversarial.figure import fooling_figure
    from residua.insight.adversarial.numbers import file_name, fool_picture, size_told
    from residua.insight.shared.plotting import save_figure
    from residua.models.model_file import find_model, load_model

    config = configure(FoolConfig, options)
    path, entry = find_model(model), Path(file)
    loaded = load_model(path)
    shape = loaded.preprocessing
    picture = shape.read(entry)
    found = fool_picture(loaded, picture, config, entry.name)
    if not found.fooled:
        return found, []
    name = file_name([entry.stem, "as", loaded.classes[found.answers[1]]])
    fooled = Path(f"{stem_of(path, config.output)}{name}.png")
    write_durably(fooled, found.png)
    shown = save_figure(fooling_figure(found), fooled.with_name(f"{fooled.stem}-shown.png"))
    if told := size_told(entry, shape):
        say(f"The fooled picture has {told}")
    return found, [fooled, shown]


def fool_from_noise(model: str | Path, **options: Any) -> tuple[Noise, list[Path]]:
    """Change noise until the model is sure to see a class in it; what came of it, and the pictures.

    One picture as PNG for a named target, and the sheet. options: the fields of `FoolConfig`. Raises
    ResiduaError.
    """
    from residua.files.durable import write_durably
    from residua.insight.adversarial import class_visualization as dreams
    from residua.insight.adversarial.figure import noise_figure
    from residua.insight.adversarial.numbers import file_name
    from residua.insight.shared.plotting import save_figure
    from residua.models.model_file import find_model, load_model

    config = configure(FoolConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    found = dreams.fool_from_noise(loaded, config)
    stem = stem_of(path, config.output)
    if config.target is None:
        return found, [save_figure(noise_figure(found), Path(f"{stem}noise.png"))]
    name = file_name(["noise", "as", loaded.classes[found.classes[0]]])
    alone = Path(f"{stem}{name}.png")
    write_durably(alone, found.pngs[0])
    return found, [alone, save_figure(noise_figure(found), alone.with_name(f"{alone.stem}-shown.png"))]


def class_pictures(model: str | Path, **options: Any) -> tuple[ClassPictures, Path]:
    """A sheet of pictures that raise the scores of the model's classes most; what they are, and its path.

    options: the fields of `FoolConfig`. Raises ResiduaError.
    """
    from residua.insight.adversarial import class_visualization as dreams
    from residua.insight.adversarial.figure import class_figure
    from residua.insight.adversarial.numbers import file_name
    from residua.insight.shared.plotting import save_figure
    from residua.models.model_file import find_model, load_model

    config = configure(FoolConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    found = dreams.class_pictures(loaded, config)
    names = [] if config.target is None else [loaded.classes[found.classes[0]]]
    sheet = Path(f"{stem_of(path, config.output)}{file_name(['class-pictures', *names])}.png")
    return found, save_figure(class_figure(found), sheet)


def robustness(
    model: str | Path, data: str | Path | None = None, *, say: Any = print, **options: Any
) -> tuple[Robustness, Path]:
    """Accuracy under changes of rising size, of an even sample of a split; the figures and their picture.

    options: the fields of `FoolConfig`. Raises ResiduaError.
    """
    from residua.insight.adversarial.figure import robustness_figure
    from residua.insight.adversarial.numbers import open_pixel_model
    from residua.insight.adversarial.robustness import STEPS, robust_accuracy
    from residua.insight.evaluation.answers import answer_split
    from residua.insight.shared.plotting import save_figure
    from residua.models.model_file import find_model, load_model

    config = configure(FoolConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    asked = EvaluateConfig.of(config, data=None if data is None else str(data))
    answered = answer_split(loaded, asked, say, config.sample)
    steps = config.iterations or STEPS
    # Larger sizes find few pictures left to attack.
    seen = open_pixel_model(loaded, config, 3 * steps * len(answered))
    found = robust_accuracy(answered, seen, config.sizes, steps, config.seed)
    return found, save_figure(robustness_figure(found), Path(f"{stem_of(path, config.output)}robustness.png"))
