"""Networks divided by depth."""

from __future__ import annotations

from residua.config import ModelOptions
from residua.models import build_model
from residua.models.stages import find_stages, frozen_layers, layer_groups


def test_parts_of_the_classic_networks():
    squeezenet = build_model(ModelOptions(model="squeezenet"), channels=3, classes=5)
    found = find_stages(squeezenet, "it")
    assert [stage[0] for stage in found.stages] == ["conv1"] + [f"fire{n}" for n in range(2, 10)]
    assert found.stages[2] == ("fire3", "pool3")
    assert found.head == ("dropout", "head", "pool")
    vgg = build_model(ModelOptions(model="vgg11"), channels=3, classes=5)
    assert find_stages(vgg, "it").stages[-1] == ("hidden2", "relu2")
    assert find_stages(vgg, "it").head == ("dropout2", "head")
    assert layer_groups(vgg, "it")[1][0] == "hidden2"
    resnet = build_model(ModelOptions(model="resnet20"), channels=3, classes=5)
    assert frozen_layers(resnet, 2, "resnet20") == ("stem", "stage1")
    assert frozen_layers(resnet, "all", "resnet20") == ("stem", "stage1", "stage2", "stage3", "pool")
