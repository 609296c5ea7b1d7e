"""The command line: parse, call the verb, print.

May import: api, bench, config, deploy, engines, errors, experiments, files, insight, models, progress,
training, variables, verbs.

Flags and help come from the dataclasses in `residua.config`. Whatever goes wrong is one line on standard
error and exit code 2 (1 where the work itself failed, 130 after Ctrl-C). Heavy modules are imported by
the verbs, so that `--help` answers at once.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import cyclopts
from cyclopts import App, Parameter

from residua.cli.terminal import (
    accept_all_names,
    drop_output,
    explain_parser_error,
    options_file,
    refuse_fractions,
    show_default,
    tell_notes,
    tell_undrawn_letters,
    to_stderr,
)
from residua.config import TrainConfig
from residua.config.options import configure, flatten_options, read_toml
from residua.errors import ResiduaError
from residua.training.ranks.supervisor import end, supervise, supervised, take_over
from residua.verbs import VERBS

__all__ = ["app", "main", "run"]

app = App(
    name="residua",
    help="Train, evaluate and use picture classifiers: residual networks from scratch.",
    help_format="plaintext",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(consume_multiple=True, negative_iterable=(), show_default=show_default),
)
VERB_NAMES = [verb.name for verb in VERBS]
for _verb in VERBS:
    app.command(f"residua.cli.{_verb.module}:{_verb.module}", name=_verb.name)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    accept_all_names()
    arguments = sys.argv[1:] if arguments is None else arguments
    if not supervised():
        sys.exit(run(arguments))
    take_over()
    end(run(arguments))


def run(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    # Where it keeps its own cache when there is no home, which nobody needs to know.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if _among_hosts(arguments) and not supervised():
        return supervise(arguments)
    try:
        app.config = ()
        if arguments[:1] == ["train"] and (path := options_file(arguments)) is not None:
            options = read_toml(path, elsewhere=True)
            configure(TrainConfig, options, source=f"{path}: ")  # types too, before the parser bends them
            values = {key.strip("_"): value for key, value in flatten_options(TrainConfig, options).items()}
            app.config = cyclopts.config.Dict(values, source=path, use_commands_as_keys=False)
        if arguments and arguments[0] in VERB_NAMES:
            refuse_fractions(app[arguments[0]].default_command, arguments)
        else:  # the list of all verbs has a line of each one's help
            for name in VERB_NAMES:
                app[name]
        result: Any = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()  # while an error can still be told
        tell_notes()
        tell_undrawn_letters()
        return result if isinstance(result, int) else 0
    except cyclopts.CycloptsError as error:
        return _fail(explain_parser_error(error, arguments), 2)
    except ResiduaError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt as stop:  # a run that was stopped says how to go on
        return _fail(str(stop) or "interrupted", 130)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        drop_output()
        return 141
    except MemoryError as error:
        return _fail(f"not enough memory ({error}): use a smaller --batch or smaller pictures", 2)
    except OSError as error:
        drop_output()
        return _fail(f"{error.filename or 'the output'}: {error.strerror or error}", 2)


def _among_hosts(arguments: list[str]) -> bool:
    """Whether the verb is to train with others, each on its own, on JAX."""
    asked = any(word == "--hosts" or word.startswith("--hosts=") for word in arguments)
    return arguments[:1] == ["train"] and asked and os.name == "posix"


def _fail(line: str, code: int) -> int:
    try:
        sys.stdout.flush()  # what was printed before it went wrong stands first
    except OSError:
        drop_output()
    tell_notes()
    to_stderr(f"residua: {line}")
    return code
