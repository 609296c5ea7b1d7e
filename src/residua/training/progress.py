"""What a person sees while a network trains: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol, TextIO

from residua.files.names import printable

PLAIN_SECONDS = 30.0  # between two lines of one epoch where there is no terminal


class Reporter(Protocol):
    """Hears of a run as it goes; the loop calls nothing else."""

    def say(self, line: str) -> None:
        """One line for people."""

    def start_epoch(self, epoch: int, epochs: int, batches: int, done: int) -> None:
        """Epoch `epoch` (from 0) begins, `done` of its batches lie behind."""

    def step(self, pictures: int, loss: float, accuracy: float) -> None:
        """A batch is done; loss and accuracy so far in this epoch."""

    def end_epoch(self, row: dict[str, Any], timing: dict[str, Any], best: bool) -> None:
        """An epoch is done, validation included."""

    def close(self) -> None:
        """No more is coming."""


class Quiet:
    """Says nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def start_epoch(self, epoch: int, epochs: int, batches: int, done: int) -> None:
        """Nothing."""

    def step(self, pictures: int, loss: float, accuracy: float) -> None:
        """Nothing."""

    def end_epoch(self, row: dict[str, Any], timing: dict[str, Any], best: bool) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class OnceSaid:
    """Another reporter, who hears each line once: data that are opened twice have the same to say."""

    def __init__(self, reporter: Reporter) -> None:
        self.start_epoch, self.step = reporter.start_epoch, reporter.step
        self.end_epoch, self.close = reporter.end_epoch, reporter.close
        self._say, self._said = reporter.say, set[str]()

    def say(self, line: str) -> None:
        """A line for people, unless it was said before."""
        if line not in self._said:
            self._said.add(line)
            self._say(line)


def epoch_line(row: dict[str, Any], timing: dict[str, Any], epochs: int, best: bool) -> str:
    """One epoch in one line."""
    line = (
        f"epoch {row['epoch']:>{len(str(epochs))}}/{epochs}"
        f"  loss {row['train_loss']:.4f}  accuracy {100 - row['train_error']:5.2f} %"
    )
    if "validation_loss" in row:
        line += (
            f"  validation loss {row['validation_loss']:.4f}  accuracy {100 - row['validation_error']:5.2f} %"
        )
    line += f"  {timing['images_per_second']:,.0f} images/s"
    return line + ("  best" if best else "")


class PlainReporter:
    """Lines for a file or a pipe: one an epoch, and one every half minute within a long one."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.epochs = 0

    def say(self, line: str) -> None:
        """Print the line at once."""
        print(printable(line), file=self.stream, flush=True)

    def start_epoch(self, epoch: int, epochs: int, batches: int, done: int) -> None:
        """Remember where the epoch begins."""
        self.epoch, self.epochs, self.batches, self.done = epoch, epochs, batches, done
        self.began = self.last = time.monotonic()
        self.pictures = 0

    def step(self, pictures: int, loss: float, accuracy: float) -> None:
        """Print a line if the last one is long ago."""
        self.done += 1
        self.pictures += pictures
        now = time.monotonic()
        if now - self.last >= PLAIN_SECONDS:
            self.last = now
            speed = self.pictures / (now - self.began)
            self.say(
                f"epoch {self.epoch + 1}/{self.epochs}  batch {self.done}/{self.batches}"
                f"  loss {loss:.4f}  accuracy {100 * accuracy:.2f} %  {speed:,.0f} images/s"
            )

    def end_epoch(self, row: dict[str, Any], timing: dict[str, Any], best: bool) -> None:
        """Print the epoch's line."""
        self.say(epoch_line(row, timing, self.epochs, best))

    def close(self) -> None:
        """Nothing is held open."""


class LiveReporter:
    """A bar that moves with every batch, and a line above it for every epoch that is done."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.console = Console(highlight=False)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=self.console,
            transient=True,
        )
        self.task: Any = None
        self.epochs = 0

    def say(self, line: str) -> None:
        """Print the line above the bar."""
        self.console.print(printable(line), markup=False, soft_wrap=True)

    def start_epoch(self, epoch: int, epochs: int, batches: int, done: int) -> None:
        """Show the bar; it runs over all epochs, so that the time left is that of the whole run."""
        self.epoch, self.epochs = epoch, epochs
        self.began, self.pictures = time.monotonic(), 0
        if self.task is None:
            self.task = self.progress.add_task("", total=epochs * batches, numbers="")
            self.progress.start()
        self.progress.update(
            self.task, description=f"epoch {epoch + 1}/{epochs}", completed=epoch * batches + done
        )

    def step(self, pictures: int, loss: float, accuracy: float) -> None:
        """Move the bar."""
        self.pictures += pictures
        speed = self.pictures / max(time.monotonic() - self.began, 1e-9)
        numbers = f"loss {loss:.3f}  accuracy {100 * accuracy:.1f} %  {speed:,.0f} images/s"
        self.progress.update(self.task, advance=1, numbers=numbers)

    def end_epoch(self, row: dict[str, Any], timing: dict[str, Any], best: bool) -> None:
        """Print the epoch's line above the bar."""
        self.say(epoch_line(row, timing, self.epochs, best))

    def close(self) -> None:
        """Take the bar away."""
        self.progress.stop()


def make_reporter() -> Reporter:
    """Live in a terminal, plain lines elsewhere."""
    return LiveReporter() if sys.stdout.isatty() else PlainReporter()
