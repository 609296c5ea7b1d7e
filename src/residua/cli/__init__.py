"""The command line: parse, call the verb, print.

May import: api, bench, config, engines, errors, insight, models, training, variables.

Flags and help come from the dataclasses in `residua.config`. Whatever goes wrong is one line on standard
error and exit code 2 (1 where the work itself failed, 130 after Ctrl-C). Heavy modules are imported by
the verbs, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from typing import Any

import cyclopts
from cyclopts import App, Parameter

from residua.cli.benchmark import bench
from residua.cli.compare import compare
from residua.cli.explain import explain
from residua.cli.fool import fool
from residua.cli.inspect import calibrate, curves, find_rate, inside, mistakes
from residua.cli.joined import ensemble, reconstruct
from residua.cli.pictures import augment, check
from residua.cli.report import report
from residua.cli.tables import engines, models, summary, warm
from residua.cli.terminal import (
    accept_all_names,
    drop_output,
    in_our_words,
    options_file,
    refuse_fractions,
    show_default,
    to_stderr,
)
from residua.cli.verbs import evaluate, import_, predict, train
from residua.config import TrainConfig
from residua.config.options import configure, flatten_options, read_toml
from residua.errors import ResiduaError

__all__ = ["app", "main", "run"]

app = App(
    name="residua",
    help="Train, evaluate and use picture classifiers: residual networks from scratch.",
    help_format="plaintext",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(consume_multiple=True, negative_iterable=(), show_default=show_default),
)
for verb in (
    train, evaluate, predict, report, compare, explain, mistakes, calibrate, curves, inside, fool, find_rate,
    ensemble, reconstruct, check, augment, models, summary, engines, warm, bench,
):  # fmt: skip
    app.command(verb)
app.command(import_, name="import")


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
            values = {key.strip("_"): value for key, value in flatten_options(TrainConfig, found).items()}
            app.config = cyclopts.config.Dict(values, source=path, use_commands_as_keys=False)
        refuse_fractions(arguments)
        result: Any = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()  # while an error can still be told
        return result if isinstance(result, int) else 0
    except cyclopts.CycloptsError as error:
        return _fail(in_our_words(error, arguments), 2)
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
    to_stderr(f"residua: {line}")
    return code
