"""Fooling trained models, in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_path
from residua.api.output import OnResult, ignore, output_stem, save_picture, written_after
from residua.config import EvaluateConfig, FoolConfig
from residua.config.options import configure
from residua.files.output import make_parent

if TYPE_CHECKING:
    from residua.insight.adversarial.class_visualization import ClassPictures
    from residua.insight.adversarial.noise import Noise
    from residua.insight.adversarial.numbers import Fooling
    from residua.insight.adversarial.robustness import Robustness


def fool(
    model: str | Path, file: str | Path, *, say: Any = print, on_result: OnResult = ignore, **options: Any
) -> tuple[Fooling, list[Path]]:
    """Change a picture a little until the model sees something else; what came of it, and the files.

    The first file is the changed picture as PNG, the second shows original, change and result. options: the
    fields of `FoolConfig`. Where nothing within the bound fools, `fooled` is False and nothing is written.
    on_result: hears what came of it before anything is written. Raises ResiduaError.
    """
    from residua.files.durable import write_durably
    from residua.insight.adversarial.figure import fooling_figure
    from residua.insight.adversarial.numbers import fool_picture, usual_gradients
    from residua.insight.adversarial.text import size_note
    from residua.insight.shared.picture_files import file_name
    from residua.models.model_file import find_model, load_model
    from residua.progress import bar

    config = configure(FoolConfig, options)
    path, picture = find_model(model), named_path(file, "a picture")
    loaded = load_model(path)
    stem = output_stem(path, config.output)
    shape = loaded.preprocessing
    pixels = shape.read(picture)
    with bar("Fooling", 3 * usual_gradients(config)):
        result = fool_picture(loaded, pixels, config, picture.name, say=say)
    with written_after(result, on_result):
        if not result.fooled:
            return result, []
        name = file_name([picture.stem, "as", loaded.classes[result.answers[1]]])
        fooled = make_parent(Path(f"{stem}{name}.png"))
        write_durably(fooled, result.png)
        shown = save_picture(fooling_figure(result), fooled.with_name(f"{fooled.stem}-shown.png"))
    if note := size_note(picture, shape):
        say(f"The fooled picture has {note}")
    return result, [fooled, shown]


def fool_from_noise(
    model: str | Path, *, say: Any = print, on_result: OnResult = ignore, **options: Any
) -> tuple[Noise, list[Path]]:
    """Change noise until the model is sure to see a class in it; what came of it, and the pictures.

    One picture as PNG for a named target, and the sheet. options: the fields of `FoolConfig`. on_result: as
    for `fool`. Raises ResiduaError.
    """
    from residua.files.durable import write_durably
    from residua.insight.adversarial import noise
    from residua.insight.adversarial.figure import noise_figure
    from residua.insight.shared.picture_files import file_name
    from residua.models.model_file import find_model, load_model

    config = configure(FoolConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    stem = output_stem(path, config.output)
    result = noise.fool_from_noise(loaded, config, say)
    with written_after(result, on_result):
        if config.target is None:
            return result, [save_picture(noise_figure(result), f"{stem}noise.png")]
        name = file_name(["noise", "as", loaded.classes[result.classes[0]]])
        alone = make_parent(Path(f"{stem}{name}.png"))
        write_durably(alone, result.pngs[0])
        shown = save_picture(noise_figure(result), alone.with_name(f"{alone.stem}-shown.png"))
    return result, [alone, shown]


def class_pictures(
    model: str | Path, *, say: Any = print, on_result: OnResult = ignore, **options: Any
) -> tuple[ClassPictures, Path]:
    """A sheet of pictures that raise the scores of the model's classes most; what they are, and its path.

    options: the fields of `FoolConfig`. on_result: as for `fool`. Raises ResiduaError.
    """
    from residua.insight.adversarial import class_visualization
    from residua.insight.adversarial.figure import class_figure
    from residua.insight.shared.picture_files import file_name
    from residua.models.model_file import find_model, load_model

    config = configure(FoolConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    stem = output_stem(path, config.output)
    result = class_visualization.class_pictures(loaded, config, say)
    names = [] if config.target is None else [loaded.classes[result.classes[0]]]
    with written_after(result, on_result):
        sheet = f"{stem}{file_name(['class-pictures', *names])}.png"
        return result, save_picture(class_figure(result), sheet)


def robustness(
    model: str | Path,
    data: str | Path | None = None,
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> tuple[Robustness, Path]:
    """Accuracy under changes of rising size, of an even sample of a split; the figures and their picture.

    options: the fields of `FoolConfig`. on_result: as for `fool`. Raises ResiduaError.
    """
    from residua.insight.adversarial.figure import robustness_figure
    from residua.insight.adversarial.numbers import open_scorer
    from residua.insight.adversarial.robustness import STEPS, robust_accuracy
    from residua.insight.evaluation.predictions import answer, answer_work, find_pictures_of
    from residua.insight.shared.engine_choice import settle_engine
    from residua.models.model_file import find_model, load_model
    from residua.progress import bar
    from residua.training.work import Passes

    config = configure(FoolConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    stem = output_stem(path, config.output)
    answer_options = EvaluateConfig.of(config, data=None if data is None else str(data))
    part = find_pictures_of(loaded, answer_options, say, most=config.sample)
    steps, count = config.iterations or STEPS, len(part.pictures)
    # Larger sizes find few pictures left to attack.
    passes = Passes(2 * len(config.sizes) * count, min(3, len(config.sizes)) * steps * count)
    config = settle_engine(config, answer_work(loaded, answer_options, part, passes), say)
    part.tell(say)
    with bar("Attacking", passes.total + count):
        answered = answer(loaded, replace(answer_options, engine=config.engine), part)
        scorer = open_scorer(loaded, config, 0)
        result = robust_accuracy(answered, scorer, config.sizes, steps, config.seed)
    with written_after(result, on_result):
        return result, save_picture(robustness_figure(result), f"{stem}robustness.png")
