"""The table of data sets: publisher, classes, where the files lie, and a recipe that suits each."""

from __future__ import annotations

from dataclasses import replace

from residua.data.sources.card import Card, Recipe
from residua.data.sources.published_files import FILES

_DIGITS = tuple("0123456789")

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

# Small grey pictures, and colour ones as He et al. 2015 train on CIFAR: a higher rate, more decay.
_GREY = Recipe("resnet8", width=8, epochs=6, crop=2, flip=False)
_COLOR = Recipe("resnet20", width=16, epochs=70, crop=4, flip=True, rate=0.15, decay=0.0005, nesterov=True)
# Jordan 2024, arXiv 2404.00498, with the published program's numbers (for a mean loss: docs/training.md).
_FAST = Recipe(
    "airbench94",
    width=None,
    epochs=10,
    crop=2,
    flip=True,
    batch=1024,
    rate=1.5,
    rate_by_batch=True,
    decay=0.00133,
    nesterov=True,
    momentum=0.85,
    schedule="triangle",
    smoothing=0.2,
    lookahead=True,
    bias_rate=64.0,
    whitening_epochs=3,
    alternate_flip=True,
    border="reflect",
)

_CARDS = (
    Card(
        name="digits",
        title="Handwritten digits, 8x8 grey (1,797 pictures, part of scikit-learn)",
        page="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        citation="E. Alpaydin, C. Kaynak 1998, Optical Recognition of Handwritten Digits, 10.24432/C50P49",
        shape=(8, 8, 1),
        classes=_DIGITS,
        kind="digits",
        recipe=Recipe("resnet8", width=16, epochs=20, crop=1, flip=False, batch=32, rate=0.05),
    ),
    Card(
        name="mnist",
        title="MNIST: handwritten digits, 28x28 grey (60,000 + 10,000)",
        page="http://yann.lecun.com/exdb/mnist/",
        citation="LeCun, Bottou, Bengio, Haffner 1998, Gradient-Based Learning, 10.1109/5.726791",
        shape=(28, 28, 1),
        classes=_DIGITS,
        kind="idx",
        recipe=_GREY,
        folders=("mnist", "MNIST/raw", "MNIST"),
        files=FILES["mnist"],
    ),
    Card(
        name="fashion-mnist",
        title="Fashion-MNIST: pieces of clothing, 28x28 grey (60,000 + 10,000)",
        page="https://github.com/zalandoresearch/fashion-mnist",
        citation="Xiao, Rasul, Vollgraf 2017, Fashion-MNIST, 1708.07747",
        shape=(28, 28, 1),
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
        recipe=replace(_GREY, epochs=15, flip=True),
        folders=("fashion-mnist", "FashionMNIST/raw", "FashionMNIST", "fashion_mnist"),
        files=FILES["fashion-mnist"],
    ),
    Card(
        name="notmnist",
        title="notMNIST: letters A to J in many typefaces, 28x28 grey (10,000)",
        page="https://github.com/davidflanagan/notMNIST-to-MNIST",
        citation="Y. Bulatov 2011, notMNIST; 10,000 of its pictures in MNIST's format by D. Flanagan",
        shape=(28, 28, 1),
        classes=tuple("ABCDEFGHIJ"),
        kind="idx-single",
        recipe=replace(_GREY, epochs=15),
        folders=("notmnist", "notMNIST", "NotMNIST/raw"),
        files=FILES["notmnist"],
    ),
    Card(
        name="cifar10",
        title="CIFAR-10: ten kinds of things, 32x32 colour (50,000 + 10,000)",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="A. Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        shape=(32, 32, 3),
        classes=tuple(_CIFAR10_CLASSES.split()),
        kind="cifar",
        recipe=_FAST,
        others=_COLOR,
        validation=5000,
        folders=("cifar-10-batches-py", "cifar-10-batches-bin"),
        files=FILES["cifar10"],
    ),
    Card(
        name="cifar100",
        title="CIFAR-100: a hundred kinds of things, 32x32 colour (50,000 + 10,000)",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="A. Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        shape=(32, 32, 3),
        classes=tuple(_CIFAR100_CLASSES.split()),
        kind="cifar",
        recipe=_COLOR,
        validation=5000,
        folders=("cifar-100-python", "cifar-100-binary"),
        files=FILES["cifar100"],
    ),
    Card(
        name="svhn",
        title="SVHN: house numbers from street views, cropped, 32x32 colour (73,257 + 26,032)",
        page="http://ufldl.stanford.edu/housenumbers/",
        citation="Netzer, Wang, Coates, Bissacco, Wu, Ng 2011, Reading Digits in Natural Images",
        shape=(32, 32, 3),
        classes=_DIGITS,
        kind="svhn",
        recipe=Recipe("resnet20", width=16, epochs=20, crop=2, flip=False, decay=0.0005, nesterov=True),
        folders=("svhn", "SVHN"),
        files=FILES["svhn"],
    ),
    Card(
        name="kaggle-mnist",
        title="MNIST as Kaggle's table train.csv: label,pixel0,...,pixel783 (42,000)",
        page="https://www.kaggle.com/c/digit-recognizer/data",
        citation="LeCun, Bottou, Bengio, Haffner 1998, Gradient-Based Learning, 10.1109/5.726791",
        shape=(28, 28, 1),
        classes=_DIGITS,
        kind="pixel-table",
        recipe=_GREY,
        folders=("digit-recognizer", "kaggle-mnist"),
        files=FILES["kaggle-mnist"],
    ),
    Card(
        name="tiny-imagenet",
        title="Tiny ImageNet: 200 kinds of things, 64x64 colour (100,000; val/, 10,000, is the test split)",
        page="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
        citation="Y. Le, X. Yang 2015, Tiny ImageNet Visual Recognition Challenge",
        shape=(64, 64, 3),
        layout="tiny-imagenet",
        recipe=replace(_COLOR, epochs=40, crop=8),
        folders=("tiny-imagenet-200",),
    ),
    Card(
        name="imagenet",
        title="ImageNet, ILSVRC 2012: 1,000 kinds of things (1,281,167; val/, 50,000, is the test split)",
        page="https://www.image-net.org/challenges/LSVRC/2012/",
        citation="Russakovsky et al. 2015, ImageNet Large Scale Visual Recognition Challenge, 1409.0575",
        shape=(224, 224, 3),
        layout="imagenet",
        recipe=Recipe("resnet20", width=16, epochs=90, crop=28, flip=True, rate=0.1),
        validation=50_000,
        folders=("imagenet", "ImageNet", "ILSVRC2012"),
    ),
    Card(
        name="gtsrb",
        title="GTSRB: 43 German traffic signs, 15x15 to 250x250 colour (39,209 + 12,630)",
        page="https://benchmark.ini.rub.de/gtsrb_dataset.html",
        citation="Stallkamp, Schlipsing, Salmen, Igel 2012, Man vs. computer, 10.1016/j.neunet.2012.02.016",
        shape=(48, 48, 3),
        layout="gtsrb",
        recipe=Recipe("resnet20", width=16, epochs=20, crop=4, flip=False, decay=0.0005, nesterov=True),
        folders=("GTSRB", "gtsrb", "gtsrb/GTSRB"),
    ),
    Card(
        name="state-farm",
        title="State Farm distracted drivers: 10 things that drivers do, 640x480 colour (22,424)",
        page="https://www.kaggle.com/c/state-farm-distracted-driver-detection/data",
        citation="State Farm, Kaggle 2016, Distracted Driver Detection",
        shape=(64, 64, 3),
        layout="state-farm",
        # Not mirrored: some classes are told apart by left and right.
        recipe=Recipe("resnet20", width=16, epochs=20, crop=8, flip=False),
        folders=("state-farm-distracted-driver-detection", "state-farm"),
    ),
    Card(
        name="notmnist-small",
        title="notMNIST_small: letters A to J in many typefaces, 28x28 grey (18,724), split 50/30/20",
        page="http://yaroslavvb.blogspot.com/2011/09/notmnist-dataset.html",
        citation="Y. Bulatov 2011, notMNIST",
        shape=(28, 28, 1),
        layout="notmnist",
        recipe=replace(_GREY, epochs=15),
        # 30 % of everything is 37.5 % of what the test split leaves.
        validation=0.375,
        test=0.2,
        folders=("notMNIST_small", "notMNIST/notMNIST_small", "notmnist/notMNIST_small"),
    ),
    Card(
        name="notmnist-large",
        title="notMNIST_large: letters A to J in many typefaces, 28x28 grey (529,114), split 50/30/20",
        page="http://yaroslavvb.blogspot.com/2011/09/notmnist-dataset.html",
        citation="Y. Bulatov 2011, notMNIST",
        shape=(28, 28, 1),
        layout="notmnist",
        recipe=_GREY,
        validation=0.375,
        test=0.2,
        folders=("notMNIST_large", "notMNIST/notMNIST_large", "notmnist/notMNIST_large"),
    ),
    Card(
        name="dogs-vs-cats",
        title="Dogs vs. Cats: photographs of many sizes, named cat.0.jpg and dog.0.jpg (25,000)",
        page="https://www.kaggle.com/c/dogs-vs-cats/data",
        citation="Elson, Douceur, Howell, Saul 2007, Asirra, 10.1145/1315245.1315291",
        shape=(64, 64, 3),
        layout="dogs-vs-cats",
        recipe=Recipe("resnet20", width=16, epochs=30, crop=8, flip=True),
        folders=("dogs-vs-cats",),
    ),
)

DATASETS: dict[str, Card] = {card.name: card for card in _CARDS}
