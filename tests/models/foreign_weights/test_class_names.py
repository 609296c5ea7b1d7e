"""The names of a foreign model's classes."""

from __future__ import annotations

import pytest

from residua.errors import ConfigError
from residua.models.foreign_weights.class_names import find_class_names, read_class_names


def test_names_of_classes(tmp_path):
    file = tmp_path / "names.txt"
    file.write_text("n01440764 tench\n\nn02012849 crane\nn03126707 crane\n")
    assert read_class_names(file) == ("tench", "crane (n02012849)", "crane (n03126707)")
    file.write_text("cat\nbig dog\n")
    assert read_class_names(file) == ("cat", "big dog")
    with pytest.raises(ConfigError, match="cannot read the names"):
        read_class_names(tmp_path / "none.txt")


def test_names_come_from_the_option_the_list_beside_the_weights_or_numbers(tmp_path):
    assert find_class_names(None, tmp_path, 2) == (("class0", "class1"), None)
    assert find_class_names("a, b", tmp_path, 2) == (("a", "b"), None)
    names, data = find_class_names("cifar10", tmp_path, 10)
    assert (len(names), data) == (10, "cifar10")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert find_class_names(None, tmp_path, 2) == (("cat", "dog"), None)
    assert find_class_names(None, tmp_path, 3)[0] == ("class0", "class1", "class2")  # somebody else's list
    for option in ("a,a", "a,b,c"):
        with pytest.raises(ConfigError, match="2 different names"):
            find_class_names(option, tmp_path, 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_lists_as_editors_write_them(tmp_path, encoding):
    path = tmp_path / "names.txt"
    path.write_bytes(" Kätzchen \r\nHund\r\n\r\n  \r\n".encode(encoding))
    assert read_class_names(path) == ("Kätzchen", "Hund")
