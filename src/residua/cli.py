"""The command line: parse, call the verb of the same name in `residua.api`, print.

Flags and help come from the dataclasses in `residua.config`. Whatever goes wrong is one line on standard
error and exit code 2 (1 where the work itself failed, 130 after Ctrl-C). Heavy modules are imported by
the verbs, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import App, Group, Parameter

from residua.config import (
    DataOptions,
    EvaluateConfig,
    ImportConfig,
    ModelOptions,
    OptimizerOptions,
    PredictConfig,
    RunOptions,
    ScheduleOptions,
    TrainConfig,
)
from residua.errors import ConfigError, ResiduaError
from residua.options import check, configure, flatten_options, read_toml
from residua.terminal import (
    accept_all_names,
    drop_output,
    explain,
    natural,
    options_file,
    picture_shape,
    refuse_fractions,
    show_default,
)

app = App(
    name="residua",
    help="Train, evaluate and use picture classifiers: residual networks from scratch.",
    help_format="plaintext",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(consume_multiple=True, negative_iterable=(), show_default=show_default),
)
_SECTIONS = {
    name: Group(name, sort_key=place)
    for place, name in enumerate(("Data", "Model", "Optimiser", "Schedule", "Run"))
}
_Switch = Annotated[bool, Parameter(negative="")]


@app.command
def train(
    data: str | None = None,
    /,
    *,
    resume: str | None = None,
    config: str | None = None,
    data_options: Annotated[DataOptions, Parameter(name="*", group=_SECTIONS["Data"])] = DataOptions(),
    model_options: Annotated[ModelOptions, Parameter(name="*", group=_SECTIONS["Model"])] = ModelOptions(),
    optimizer: Annotated[
        OptimizerOptions, Parameter(name="*", group=_SECTIONS["Optimiser"])
    ] = OptimizerOptions(),
    schedule: Annotated[
        ScheduleOptions, Parameter(name="*", group=_SECTIONS["Schedule"])
    ] = ScheduleOptions(),
    run: Annotated[RunOptions, Parameter(name="*", group=_SECTIONS["Run"])] = RunOptions(),
) -> int:
    """Train a network on a data set or a folder of pictures.

    Parameters
    ----------
    data
        digits, mnist, fashion-mnist, notmnist, cifar10, cifar100, or a folder of pictures.
    resume
        A run folder to go on with, from its newest checkpoint.
    config
        A TOML file with any of these options; flags have the last word.
    """
    from residua import api

    chosen = TrainConfig(data_options, model_options, optimizer, schedule, run)
    if resume is not None:
        if data is not None or config is not None or chosen != TrainConfig():
            raise ConfigError("--resume goes on with a run as it was begun: it takes no other options")
        result = api.train(resume=resume)
    else:
        if data is not None:
            chosen = replace(chosen, data=replace(data_options, data=data))
        result = api.train(config=check(chosen))
    print()
    if result.test is not None:
        low, high = result.test.interval
        print(
            f"Test accuracy: {100 * result.test.accuracy:.2f} % "
            f"({result.test.correct:,} of {result.test.pictures:,} pictures that took no part in training; "
            f"95 % interval {100 * low:.2f} to {100 * high:.2f})"
        )
    print(f"Best model (epoch {result.best_epoch}): {result.model}")
    print(f"Run folder: {result.run}  with the pictures curves.png", end="")
    print(" and confusion.png" if result.test is not None else "")
    return 0


@app.command
def evaluate(
    model: str,
    /,
    *,
    json: _Switch = False,
    options: Annotated[EvaluateConfig, Parameter(name="*")] = EvaluateConfig(),
) -> int:
    """Measure a model on pictures that it was not trained on.

    Parameters
    ----------
    model
        A model file or a run folder.
    json
        Print everything as JSON.
    """
    import json as json_module

    from residua import api
    from residua.insight.metrics import evaluation_text

    evaluation = api.evaluate(model, say=_to_stderr, **vars(options))
    print(json_module.dumps(evaluation.to_dict()) if json else evaluation_text(evaluation))
    return 0


@app.command
def predict(
    model: str,
    /,
    *files: str,
    json: _Switch = False,
    csv: _Switch = False,
    options: Annotated[PredictConfig, Parameter(name="*")] = PredictConfig(),
) -> int:
    """Name what is in pictures.

    Parameters
    ----------
    model
        A model file or a run folder.
    files
        Pictures, or folders of pictures.
    json
        Print a JSON list.
    csv
        Print a CSV table: file, class, probability, and so on down to the last of --top.
    """
    from residua import api
    from residua.files.model_file import load_model
    from residua.insight.predict_output import write_csv, write_json, write_text

    if not files:
        raise ConfigError("predict needs pictures or folders after the model")
    if json and csv:
        raise ConfigError("choose one of --json and --csv")
    loaded = load_model(model)
    predictions = api.iterate_predictions(loaded, files, check(options))
    write = write_json if json else write_csv if csv else write_text
    bad = write(predictions, sys.stdout, min(options.top, len(loaded.classes)))
    for prediction in bad:
        _to_stderr(f"residua: {prediction.error}")
    return 1 if bad else 0


@app.command
def models(*, size: int = 32, channels: int = 3, classes: int = 10, width: int | None = None) -> int:
    """List the models with their parameters and multiply-adds.

    Parameters
    ----------
    size
        Height and width of the pictures, in pixels.
    channels
        3 for colour, 1 for grey.
    classes
        How many classes.
    width
        Channels of the first stage (16).
    """
    from residua.models.summary import model_table

    narrow = None if width is None else natural("width", width)
    print(model_table(picture_shape(size, channels), natural("classes", classes), narrow))
    return 0


@app.command
def summary(
    model: str,
    /,
    *,
    size: int | None = None,
    channels: int | None = None,
    classes: int | None = None,
    options: Annotated[ModelOptions, Parameter(name="*")] = ModelOptions(),
) -> int:
    """Show a network layer by layer: names, shapes, parameters, multiply-adds.

    Parameters
    ----------
    model
        A model's name, a model file or a run folder.
    size
        Height and width of the pictures, in pixels (32, or what the file was trained at).
    channels
        3 for colour, 1 for grey (3).
    classes
        How many classes (10).
    """
    from residua.models import build_model
    from residua.models.summary import layer_table

    if options.model is not None:
        raise ConfigError(f"summary takes one model, without --model: it was given {model} already")
    if Path(model).exists():
        if (channels, classes, options) != (None, None, ModelOptions()):
            raise ConfigError(f"{model} is trained: its network is fixed, and only --size can be chosen")
        from residua.files.model_file import load_model

        loaded = load_model(model)
        shape = loaded.preprocessing
        side = (shape.height, shape.width) if size is None else (natural("size", size),) * 2
        print(layer_table(loaded.name, loaded.network, (*side, shape.channels)))
        return 0
    seen = picture_shape(32 if size is None else size, 3 if channels is None else channels)
    count = natural("classes", 10 if classes is None else classes)
    network = build_model(check(replace(options, model=model)), channels=seen[2], classes=count)
    print(layer_table(model, network, seen))
    return 0


@app.command(name="import")
def import_(
    weights: str, /, *, options: Annotated[ImportConfig, Parameter(name="*")] = ImportConfig()
) -> int:
    """Turn weights that PyTorch wrote (.pth, .pt, .th, .safetensors) into a model file.

    Parameters
    ----------
    weights
        The file; it is read without PyTorch, and nothing in it is run.
    """
    from residua import api
    from residua.variables import count_parameters

    path, model = api.import_weights(weights, **vars(options))
    print(f"{model.name} with {count_parameters(model.variables):,} parameters, {len(model.classes)} classes")
    print(f"normalised with mean {model.preprocessing.mean} and deviation {model.preprocessing.std}")
    print(f"Model file: {path}")
    return 0


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    accept_all_names()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    try:
        app.config = ()
        if arguments[:1] == ["train"] and (path := options_file(arguments)) is not None:
            found = read_toml(path)
            configure(TrainConfig, found, source=f"{path}: ")  # types too, before the parser bends them
            values = flatten_options(TrainConfig, found)
            app.config = cyclopts.config.Dict(values, source=path, use_commands_as_keys=False)
        refuse_fractions(arguments)
        result: Any = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()  # while an error can still be told
        return result if isinstance(result, int) else 0
    except cyclopts.CycloptsError as error:
        return _fail(explain(error, arguments), 2)
    except ResiduaError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        drop_output()
        return 141
    except MemoryError as error:
        return _fail(f"not enough memory ({error}): use a smaller --batch or smaller pictures", 2)
    except OSError as error:
        drop_output()
        return _fail(f"{error.filename or 'the output'}: {error.strerror or error}", 2)


def _fail(line: str, code: int) -> int:
    _to_stderr(f"residua: {line}")
    return code


if __name__ == "__main__":
    main()
