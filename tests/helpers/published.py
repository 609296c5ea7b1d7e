"""Small data sets in their publishers' own formats: names, separators, headers and nesting as published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

WNIDS = ("n01443537", "n01629819", "n02012849", "n03126707")
WORDS = {
    "n01443537": "goldfish, Carassius auratus",
    "n01629819": "European fire salamander, Salamandra salamandra",
    "n02012849": "crane",
    "n03126707": "crane",
    "n00001740": "entity",
}


def paint(path: Path, seed: int, size=(12, 10), mode: str = "RGB") -> Path:
    """A picture of noise that tells its seed by its mean."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def tiny_imagenet(root: Path, count: int = 20, held: int = 6) -> Path:
    """tiny-imagenet-200 with four classes."""
    seed = 0
    for wnid in WNIDS:
        boxes = []
        for number in range(count):
            name = f"{wnid}_{number}.JPEG"
            paint(root / "train" / wnid / "images" / name, seed := seed + 1, (64, 64))
            boxes.append(f"{name}\t0\t10\t63\t58")
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("\n".join(boxes) + "\n")
    lines = []
    for number in range(held):
        paint(root / "val" / "images" / f"val_{number}.JPEG", seed := seed + 1, (64, 64))
        lines.append(f"val_{number}.JPEG\t{WNIDS[(3 * number) % 4]}\t0\t32\t44\t62")
    (root / "val" / "val_annotations.txt").write_text("\n".join(lines) + "\n")
    paint(root / "test" / "images" / "test_0.JPEG", seed + 1, (64, 64))
    (root / "wnids.txt").write_text("\n".join(reversed(WNIDS)) + "\n")
    (root / "words.txt").write_text("".join(f"{wnid}\t{words}\n" for wnid, words in WORDS.items()))
    return root


def imagenet(root: Path, count: int = 10, held: int = 8, flat: bool = True) -> Path:
    """ImageNet with four classes; the devkit numbers them in another order than the alphabet's."""
    from scipy.io import savemat

    order = ("n02012849", "n01443537", "n03126707", "n01629819")
    seed = 0
    for wnid in WNIDS:
        for number in range(count):
            paint(root / "train" / wnid / f"{wnid}_{number}.JPEG", seed := seed + 1, (50, 40))
    truth = [1 + number % 4 for number in range(held)]
    for number, label in enumerate(truth, 1):
        folder = root / "val" if flat else root / "val" / order[label - 1]
        paint(folder / f"ILSVRC2012_val_{number:08d}.JPEG", 1000 + number, (50, 40))
    devkit = root / "ILSVRC2012_devkit_t12" / "data"
    devkit.mkdir(parents=True)
    (devkit / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{n}\n" for n in truth))
    fields = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "O")]
    entries = [(float(n), wnid, WORDS[wnid], "a gloss", 0.0) for n, wnid in enumerate(order, 1)]
    entries.append((1001.0, "n00001740", "entity", "what there is", 3.0))
    savemat(devkit / "meta.mat", {"synsets": np.array(entries, dtype=fields)[:, None]})
    return root


GTSRB_HEADER = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"


def gtsrb(root: Path, classes=(0, 14, 42), tracks: int = 6, frames: int = 4, held: int = 9) -> Path:
    """GTSRB; inside its region every picture is white, outside black."""

    def sign(path: Path, width: int, height: int) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[5 : height - 5, 6 : width - 6] = 255
        Image.fromarray(pixels).save(path)
        return f"{path.name};{width};{height};6;5;{width - 6};{height - 5}"

    for number in classes:
        folder = root / "Final_Training" / "Images" / f"{number:05d}"
        lines = [GTSRB_HEADER]
        for track in range(tracks):
            for frame in range(frames):
                name = f"{track:05d}_{frame:05d}.ppm"
                lines.append(f"{sign(folder / name, 29 + frame, 30 + number)};{number}")
        (folder / f"GT-{number:05d}.csv").write_text("\r\n".join(lines) + "\r\n")
    lines = [GTSRB_HEADER]
    for number in range(held):
        path = root / "Final_Test" / "Images" / f"{number:05d}.ppm"
        lines.append(f"{sign(path, 40 + number, 41)};{classes[number % len(classes)]}")
    (root / "GT-final_test.csv").write_text("\r\n".join(lines) + "\r\n")
    bare = [line.rpartition(";")[0] for line in lines]
    (root / "Final_Test" / "Images" / "GT-final_test.test.csv").write_text("\r\n".join(bare) + "\r\n")
    (root / "Readme.txt").write_text("German Traffic Sign Recognition Benchmark\n")
    return root


DRIVERS = ("p002", "p012", "p014", "p015", "p016", "p021", "p022", "p024")


def state_farm(root: Path, classes: int = 4, each: int = 2) -> Path:
    """State Farm's drivers: every driver does everything `each` times."""
    lines, number = ["subject,classname,img"], 0
    for driver in DRIVERS:
        for kind in range(classes):
            for _ in range(each):
                number += 1
                name = f"img_{37 * number}.jpg"
                paint(root / "imgs" / "train" / f"c{kind}" / name, number, (64, 48))
                lines.append(f"{driver},c{kind},{name}")
    paint(root / "imgs" / "test" / "img_1.jpg", 0, (64, 48))
    (root / "driver_imgs_list.csv").write_text("\n".join(lines) + "\n")
    return root


def notmnist(root: Path, count: int = 20) -> Path:
    """notMNIST_small: letters A to J, and the two files that are broken as published."""
    for place, letter in enumerate("ABCDEFGHIJ"):
        for number in range(count):
            paint(root / letter / f"Rm9udA{number:02d}==.png", 100 * place + number, (28, 28), "L")
    (root / "A" / "RGVtb2NyYXRpY2FCb2xkT2xkc3R5bGUgQm9sZC50dGY=.png").write_bytes(b"")
    (root / "F" / "Q3Jvc3NvdmVyIEJvbGRPYmxpcXVlLnR0Zg==.png").write_bytes(b"")
    return root


def dogs_vs_cats(root: Path, count: int = 30) -> Path:
    """Kaggle's Dogs vs. Cats."""
    for number in range(count):
        paint(root / "train" / f"cat.{number}.jpg", number, (50, 37))
        paint(root / "train" / f"dog.{number}.jpg", 1000 + number, (49, 50))
    paint(root / "test1" / "1.jpg", 5)
    return root


def svhn(root: Path, train: int = 60, test: int = 20) -> Path:
    """SVHN's cropped digits; every picture's first red pixel is its label's digit."""
    from scipy.io import savemat

    root.mkdir(parents=True, exist_ok=True)
    for stem, count in (("train", train), ("test", test)):
        pixels = np.random.default_rng(count).integers(0, 256, (32, 32, 3, count), np.uint8)
        labels = 1 + np.arange(count, dtype=np.uint8) % 10
        pixels[0, 0, 0] = labels % 10
        savemat(root / f"{stem}_32x32.mat", {"X": pixels, "y": labels[:, None]}, do_compression=True)
    return root


def pixel_table(path: Path, count: int = 40, labelled: bool = True, seed: int = 0) -> np.ndarray:
    """Kaggle's train.csv or test.csv; the pictures, (N, 28, 28). Labels are the place modulo ten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 784), np.uint8)
    header = (["label"] if labelled else []) + [f"pixel{number}" for number in range(784)]
    lines = [",".join(header)]
    for number, row in enumerate(pixels):
        cells = ([number % 10] if labelled else []) + row.tolist()
        lines.append(",".join(map(str, cells)))
    path.write_text("\n".join(lines) + "\n")
    return pixels.reshape(-1, 28, 28)
