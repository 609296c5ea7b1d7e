"""What is known of every data set: publisher, files, checksums, classes, and a recipe that suits it."""

from __future__ import annotations

from residua.data.sources.card import FOLDER_SIZE, Card, Download, Recipe, folder_card
from residua.data.sources.cards_folders import FOLDER_CARDS

__all__ = ["DATASETS", "FOLDER_SIZE", "Card", "Download", "Recipe", "folder_card"]

_IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _idx_files(checksums: tuple[str, ...], *mirrors: str) -> tuple[Download, ...]:
    return tuple(
        Download(name, tuple(mirror + name for mirror in mirrors), checksum)
        for name, checksum in zip(_IDX, checksums, strict=True)
    )


def _toronto(name: str, checksum: str) -> Download:
    return Download(name, (f"https://www.cs.toronto.edu/~kriz/{name}",), checksum)


def _stanford(name: str, checksum: str) -> Download:
    return Download(name, (f"http://ufldl.stanford.edu/housenumbers/{name}",), checksum)


_TEN_DIGITS = tuple("0123456789")

_CIFAR100_CLASSES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel
can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion
lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree
pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea
seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank
telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""

_CIFAR10_CLASSES = "airplane automobile bird cat deer dog frog horse ship truck"

DATASETS: dict[str, Card] = {
    "digits": Card(
        name="digits",
        title="Handwritten digits, 8x8 grey (1,797 pictures, part of scikit-learn)",
        page="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        citation="E. Alpaydin, C. Kaynak 1998, Optical Recognition of Handwritten Digits, 10.24432/C50P49",
        height=8,
        width=8,
        channels=1,
        classes=_TEN_DIGITS,
        kind="digits",
        recipe=Recipe("resnet8", width=16, epochs=20, crop=1, flip=False, batch=32, rate=0.05),
    ),
    "mnist": Card(
        name="mnist",
        title="MNIST: handwritten digits, 28x28 grey (60,000 + 10,000)",
        page="http://yann.lecun.com/exdb/mnist/",
        citation="LeCun, Bottou, Bengio, Haffner 1998, Gradient-Based Learning, 10.1109/5.726791",
        height=28,
        width=28,
        channels=1,
        classes=_TEN_DIGITS,
        kind="idx",
        recipe=Recipe("resnet8", width=8, epochs=6, crop=2, flip=False),
        folders=("mnist", "MNIST/raw", "MNIST"),
        files=_idx_files(
            (
                "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "md5:d53e105ee54ea40749a09fcbcd1e9432",
                "md5:9fb629c4189551a2d022fa330f9573f3",
                "md5:ec29112dd5afa0611ce80d1b7f02629c",
            ),
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
    ),
    "fashion-mnist": Card(
        name="fashion-mnist",
        title="Fashion-MNIST: pieces of clothing, 28x28 grey (60,000 + 10,000)",
        page="https://github.com/zalandoresearch/fashion-mnist",
        citation="Xiao, Rasul, Vollgraf 2017, Fashion-MNIST, 1708.07747",
        height=28,
        width=28,
        channels=1,
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        kind="idx",
        recipe=Recipe("resnet8", width=8, epochs=15, crop=2, flip=True),
        folders=("fashion-mnist", "FashionMNIST/raw", "FashionMNIST", "fashion_mnist"),
        files=_idx_files(
            (
                "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "md5:25c81989df183df01b3e8a0aad5dffbe",
                "md5:bef4ecab320f06d8554ea6380940ec79",
                "md5:bb300cfdad3c16e7a12a480ee83cd310",
            ),
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
    ),
    "notmnist": Card(
        name="notmnist",
        title="notMNIST: letters A to J in many typefaces, 28x28 grey (10,000)",
        page="https://github.com/davidflanagan/notMNIST-to-MNIST",
        citation="Y. Bulatov 2011, notMNIST; 10,000 of its pictures in MNIST's format by D. Flanagan",
        height=28,
        width=28,
        channels=1,
        classes=tuple("ABCDEFGHIJ"),
        kind="idx-single",
        recipe=Recipe("resnet8", width=8, epochs=15, crop=2, flip=False),
        folders=("notmnist", "notMNIST", "NotMNIST/raw"),
        files=tuple(
            Download(
                name,
                (f"https://raw.githubusercontent.com/davidflanagan/notMNIST-to-MNIST/master/{name}",),
                checksum,
            )
            for name, checksum in (
                (_IDX[2], "sha256:70ae9e06201f2827e5b0a3781a3169d735dd2efc69996b9eeaee7f10ed4044d7"),
                (_IDX[3], "sha256:1fa03836e01c862542f8eb83463bb951bebec6fcb3efa28dad748c6b38a9021b"),
            )
        ),
    ),
    "cifar10": Card(
        name="cifar10",
        title="CIFAR-10: ten kinds of things, 32x32 colour (50,000 + 10,000)",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="A. Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        height=32,
        width=32,
        channels=3,
        classes=tuple(_CIFAR10_CLASSES.split()),
        kind="cifar",
        recipe=Recipe(
            "resnet20", width=16, epochs=70, crop=4, flip=True, rate=0.15, decay=0.0005, nesterov=True
        ),
        validation=5000,
        folders=("cifar-10-batches-py", "cifar-10-batches-bin"),
        files=(
            _toronto("cifar-10-python.tar.gz", "md5:c58f30108f718f92721af3b95e74349a"),
            _toronto("cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530"),
        ),
    ),
    "cifar100": Card(
        name="cifar100",
        title="CIFAR-100: a hundred kinds of things, 32x32 colour (50,000 + 10,000)",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="A. Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        height=32,
        width=32,
        channels=3,
        classes=tuple(_CIFAR100_CLASSES.split()),
        kind="cifar",
        recipe=Recipe(
            "resnet20", width=16, epochs=70, crop=4, flip=True, rate=0.15, decay=0.0005, nesterov=True
        ),
        validation=5000,
        folders=("cifar-100-python", "cifar-100-binary"),
        files=(
            _toronto("cifar-100-python.tar.gz", "md5:eb9058c3a382ffc7106e4002c42a8d85"),
            _toronto("cifar-100-binary.tar.gz", "md5:03b5dce01913d631647c71ecec9e9cb8"),
        ),
    ),
    "svhn": Card(
        name="svhn",
        title="SVHN: house numbers from street views, cropped, 32x32 colour (73,257 + 26,032)",
        page="http://ufldl.stanford.edu/housenumbers/",
        citation="Netzer, Wang, Coates, Bissacco, Wu, Ng 2011, Reading Digits in Natural Images",
        height=32,
        width=32,
        channels=3,
        classes=_TEN_DIGITS,
        kind="svhn",
        recipe=Recipe("resnet20", width=16, epochs=20, crop=2, flip=False, decay=0.0005, nesterov=True),
        folders=("svhn", "SVHN"),
        files=(
            _stanford("train_32x32.mat", "md5:e26dedcc434d2e4c54c9b2d4a06d8373"),
            _stanford("test_32x32.mat", "md5:eb5a983be6a315427106f1b164d9cef3"),
        ),
    ),
    "kaggle-mnist": Card(
        name="kaggle-mnist",
        title="MNIST as Kaggle's table train.csv: label,pixel0,...,pixel783 (42,000)",
        page="https://www.kaggle.com/c/digit-recognizer/data",
        citation="LeCun, Bottou, Bengio, Haffner 1998, Gradient-Based Learning, 10.1109/5.726791",
        height=28,
        width=28,
        channels=1,
        classes=_TEN_DIGITS,
        kind="pixel-table",
        recipe=Recipe("resnet8", width=8, epochs=6, crop=2, flip=False),
        folders=("digit-recognizer", "kaggle-mnist"),
        files=(Download("train.csv", (), ""),),
    ),
} | FOLDER_CARDS
