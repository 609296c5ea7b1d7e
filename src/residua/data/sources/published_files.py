"""The files that publishers offer for download: names, addresses, checksums."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """A published file: its name, its addresses (the first that answers is used) and its checksum."""

    name: str
    urls: tuple[str, ...]
    checksum: str  # "md5:..." or "sha256:...", whichever the publisher gives


_IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _downloads(checksums: dict[str, str], *mirrors: str) -> tuple[Download, ...]:
    """Files that all lie at the same addresses; checksums by name."""
    return tuple(
        Download(name, tuple(mirror + name for mirror in mirrors), checksum)
        for name, checksum in checksums.items()
    )


# By the name of the data set.
FILES: dict[str, tuple[Download, ...]] = {
    "mnist": _downloads(
        {
            _IDX[0]: "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
            _IDX[1]: "md5:d53e105ee54ea40749a09fcbcd1e9432",
            _IDX[2]: "md5:9fb629c4189551a2d022fa330f9573f3",
            _IDX[3]: "md5:ec29112dd5afa0611ce80d1b7f02629c",
        },
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "fashion-mnist": _downloads(
        {
            _IDX[0]: "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            _IDX[1]: "md5:25c81989df183df01b3e8a0aad5dffbe",
            _IDX[2]: "md5:bef4ecab320f06d8554ea6380940ec79",
            _IDX[3]: "md5:bb300cfdad3c16e7a12a480ee83cd310",
        },
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    "notmnist": _downloads(
        {
            _IDX[2]: "sha256:70ae9e06201f2827e5b0a3781a3169d735dd2efc69996b9eeaee7f10ed4044d7",
            _IDX[3]: "sha256:1fa03836e01c862542f8eb83463bb951bebec6fcb3efa28dad748c6b38a9021b",
        },
        "https://raw.githubusercontent.com/davidflanagan/notMNIST-to-MNIST/master/",
    ),
    "cifar10": _downloads(
        {
            "cifar-10-python.tar.gz": "md5:c58f30108f718f92721af3b95e74349a",
            "cifar-10-binary.tar.gz": "md5:c32a1d4ab5d03f1284b67883e8d87530",
        },
        "https://www.cs.toronto.edu/~kriz/",
    ),
    "cifar100": _downloads(
        {
            "cifar-100-python.tar.gz": "md5:eb9058c3a382ffc7106e4002c42a8d85",
            "cifar-100-binary.tar.gz": "md5:03b5dce01913d631647c71ecec9e9cb8",
        },
        "https://www.cs.toronto.edu/~kriz/",
    ),
    "svhn": _downloads(
        {
            "train_32x32.mat": "md5:e26dedcc434d2e4c54c9b2d4a06d8373",
            "test_32x32.mat": "md5:eb5a983be6a315427106f1b164d9cef3",
        },
        "http://ufldl.stanford.edu/housenumbers/",
    ),
    "kaggle-mnist": (Download("train.csv", (), ""),),  # behind an account
}
