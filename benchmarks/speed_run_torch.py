"""The recipe that takes CIFAR-10 to 94 %, whole, in PyTorch on a CPU: to be run in turn with residua's.

    python benchmarks/speed_run_torch.py --epochs 9.9 --seed 0

It prints residua's command for the same number of steps. Both read the same pictures and begin with the same
weights and the same whitening layer; orders and shifts are drawn by each side's own generator. Network, step,
Lookahead and the variation of the pictures are those of `residua bench --cases speed-run`, after Jordan 2024,
arXiv 2404.00498; judged are Lookahead's slow weights, on the 10,000 test pictures as they are and by six
views (section 3.5; as in residua, probabilities are averaged, not logits). Nothing is chosen on the test
pictures. An epoch has a last batch of what is left, as in residua: 9.9 epochs of 50,000 pictures in batches
of 1,024 are nine times 49 steps and the 44 that show 45,000 more, 485. The published program leaves
incomplete batches out, and takes 476.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
import torch
from torch.nn import functional

from residua.bench.pytorch_networks import LAYOUTS
from residua.bench.pytorch_speed_run import Stepper, airbench94, load, vary
from residua.bench.speed_run import BATCH, CROP, RECIPE
from residua.config import DataOptions, ScheduleOptions
from residua.config.options import flag
from residua.data import Preprocessing, open_dataset
from residua.files.names import command
from residua.models.architectures.airbench import airbench94 as layers
from residua.training.schedules import make_schedule
from residua.training.whitening import whiten

JUDGED_AT_ONCE = 500  # pictures


class Split:
    """The pictures of a split as normalised tensors (N, C, H, W), and their labels (N,)."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, shape: Preprocessing) -> None:
        mean, std = (torch.tensor(part).view(1, 3, 1, 1) for part in (shape.mean, shape.std))
        pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).to(torch.float32)
        self.x, self.t = (pixels / 255 - mean) / std, torch.from_numpy(labels)

    def __len__(self) -> int:
        return len(self.t)


def count_steps(epochs: float, pictures: int, batch: int) -> int:
    """The steps of whole epochs, and those that show the rest of the pictures; each epoch's last batch may be
    a smaller one."""
    whole = math.floor(epochs)
    rest = round((epochs - whole) * pictures)
    return whole * math.ceil(pictures / batch) + math.ceil(rest / batch)


def train(network: torch.nn.Sequential, split: Split, steps: int, batch: int, layout: str) -> Stepper:
    """The whole training: every picture once an epoch, the last epoch perhaps in part."""
    per_epoch = math.ceil(len(split) / batch)
    take = Stepper(network, steps)
    schedule = ScheduleOptions(schedule="triangle", epochs=math.ceil(steps / per_epoch))
    rates = make_schedule(schedule, RECIPE.rate, steps / per_epoch)
    mirrored = torch.rand(len(split)) < 0.5  # in the first epoch; the others in the second, and so on
    for epoch in range(math.ceil(steps / per_epoch)):
        if epoch == RECIPE.whitening_epochs:
            network[0].bias.requires_grad_(False)
            network[0].bias.grad = None
        began, losses = time.perf_counter(), []
        order = torch.randperm(len(split))
        for place in range(min(per_epoch, steps - epoch * per_epoch)):
            rows = order[place * batch : (place + 1) * batch]
            x = vary(split.x[rows], mirrored[rows] ^ bool(epoch % 2))
            rate = rates.rate(epoch + place / per_epoch, rates.start())
            losses.append(take(x.contiguous(memory_format=LAYOUTS[layout]), split.t[rows], rate))
        seconds = time.perf_counter() - began
        print(f"epoch {epoch + 1}  loss {np.mean(losses):.4f}  {seconds:.1f} s", flush=True)
    return take


@torch.inference_mode()
def accuracies(network: torch.nn.Sequential, split: Split, layout: str) -> tuple[float, float]:
    """Of pictures as they are; and of six views: mirrored too, and both moved by a pixel two ways."""
    network.eval()

    def both(x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous(memory_format=LAYOUTS[layout])
        return network(x).softmax(1) + network(x.flip(-1)).softmax(1)

    plain = views = 0
    for first in range(0, len(split), JUDGED_AT_ONCE):
        x, t = split.x[first : first + JUDGED_AT_ONCE], split.t[first : first + JUDGED_AT_ONCE]
        plain += int((network(x.contiguous(memory_format=LAYOUTS[layout])).argmax(1) == t).sum())
        height, width = x.shape[2:]
        wide = functional.pad(x, (1,) * 4, "reflect")
        moved = [wide[:, :, by : by + height, by : by + width] for by in (0, 2)]
        probabilities = 2 * both(x) + both(moved[0]) + both(moved[1])
        views += int((probabilities.argmax(1) == t).sum())
    return plain / len(split), views / len(split)


def residua_command(options: argparse.Namespace, steps: int) -> str:
    """The same training here, to be pasted."""
    words: list[object] = ["train", "cifar10", "--model", "airbench94", "--total-steps", steps]
    words += ["--batch", options.batch, "--rate", RECIPE.rate, "--momentum", RECIPE.momentum, "--nesterov"]
    words += ["--decay", RECIPE.decay, "--smoothing", RECIPE.smoothing, "--schedule", "triangle"]
    words += ["--bias-rate", f"{RECIPE.bias_rate:g}", "--whitening-epochs", RECIPE.whitening_epochs]
    words += ["--lookahead", "--crop", CROP, "--border", "reflect", "--alternate-flip", "--validation", 0]
    words += ["--seed", options.seed, "--threads", options.threads]
    for name in ("width", "limit", "data_dir"):
        if getattr(options, name) is not None:
            words += [flag(name), getattr(options, name)]
    return command(*words)


def main(options: argparse.Namespace) -> None:
    """Read, train, judge; the times of all and of the training alone."""
    began = time.perf_counter()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    data = open_dataset(
        DataOptions(data="cifar10", data_dir=options.data_dir, validation=0, limit=options.limit),
        options.seed,
    )
    pictures, tested = data.read("train"), data.read("test")
    shape = Preprocessing.measure(pictures.images)
    made = layers(width=options.width)
    first = whiten(made, made.init(np.random.default_rng([options.seed, 1])), pictures.images, shape)
    network = load(airbench94(options.width), first).to(memory_format=LAYOUTS[options.layout])
    split, test = (Split(np.asarray(part.images), part.labels, shape) for part in (pictures, tested))
    steps = count_steps(options.epochs, len(split), options.batch)
    print(residua_command(options, steps))
    training = time.perf_counter()
    trained = train(network, split, steps, options.batch, options.layout)
    training = time.perf_counter() - training
    network.load_state_dict(trained.slow)
    plain, views = accuracies(network, test, options.layout)
    print(f"test accuracy {100 * plain:.2f} %, of six views {100 * views:.2f} %, of {len(test):,} pictures")
    print(f"{training:.1f} s of training, {time.perf_counter() - began:.1f} s in all")


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--epochs", type=float, default=9.9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", choices=sorted(LAYOUTS), default="channels_last")
    parser.add_argument("--data-dir", help="where CIFAR-10 lies")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--width", type=int, default=64, help="channels of the first block")
    parser.add_argument("--limit", type=int, help="so many pictures of each split, to see that it runs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(read_options())
