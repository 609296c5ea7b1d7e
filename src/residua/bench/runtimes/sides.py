"""What answers on each side of the race, at its best: a function from nothing to logits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.bench import networks
from residua.bench.networks import Network, Pictures, random_batch

Logits = NDArray[np.float32]
Answer = Callable[[], Logits]

GRAPH = "graph.onnx"
RACED = {
    network.title: network
    for network in (
        networks.RESNET20,
        networks.RESNET18,
        networks.RESNET50,
        networks.VGG16_LARGE,
        networks.ALEXNET,
        networks.SQUEEZENET,
        networks.TINY,
    )
}


@dataclass(frozen=True)
class Job:
    """What every side answers.

    network: its title. folder: where the graph lies. engine: of residua's side.
    """

    network: str
    count: int
    threads: int
    engine: str
    folder: str

    @property
    def raced(self) -> Network:
        """The network."""
        return RACED[self.network]

    def pictures(self) -> Pictures:
        """(count, size, size, 3) float32, the same in every process."""
        return random_batch(self.raced, self.count)[0]

    def to_text(self) -> str:
        """One line for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Job:
        """What `to_text` wrote."""
        return cls(**json.loads(text))


def channels_first(pictures: Pictures) -> Pictures:
    """(N, H, W, C) -> (N, C, H, W)."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))


def residua(job: Job) -> tuple[Answer, str]:
    """The frozen network on the engine, as `residua predict` computes it."""
    from residua.engines import open_engine

    engine = open_engine(job.engine, threads=job.threads)
    answer = networks.inference(engine, job.raced, job.pictures())
    return lambda: np.asarray(engine.plain(answer()), np.float32), job.engine


def torch(job: Job) -> tuple[Answer, str]:
    """PyTorch, eager: normalisation folded into the convolutions, in its faster layout."""
    from residua.bench import pytorch
    from residua.bench.timing import Limits, choose_fastest

    pytorch.use_threads(job.threads)
    variables = job.raced.build().init(np.random.default_rng(0))
    pictures = job.pictures()
    modes = {
        layout: partial(pytorch.folded_inference, job.raced, pictures, layout, variables)
        for layout in pytorch.LAYOUTS
    }
    mode, workload = choose_fastest(modes, Limits(rounds=3, seconds=20))
    answer: Any = workload
    return lambda: answer().numpy(), mode


def onnxruntime(job: Job) -> tuple[Answer, str]:
    """ONNX Runtime: every optimisation of the graph, threads that spin while they wait."""
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = job.threads
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    session = runtime.InferenceSession(
        str(Path(job.folder, GRAPH)), options, providers=["CPUExecutionProvider"]
    )
    feed = {session.get_inputs()[0].name: channels_first(job.pictures())}
    name = session.get_outputs()[0].name
    return lambda: session.run([name], feed)[0], "all optimisations"


def openvino(job: Job) -> tuple[Answer, str]:
    """OpenVINO, compiled for this shape and for latency, in float32."""
    import openvino as runtime

    pictures = channels_first(job.pictures())
    core = runtime.Core()
    model = core.read_model(str(Path(job.folder, GRAPH)))
    model.reshape(list(pictures.shape))
    compiled = core.compile_model(
        model,
        "CPU",
        {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": job.threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32",
        },
    )
    request = compiled.create_infer_request()
    request.set_input_tensor(runtime.Tensor(pictures, shared_memory=True))

    def answer(held: Pictures = pictures) -> Logits:  # the tensor is the array's memory, not its owner
        request.infer()
        logits: Logits = request.get_output_tensor(0).data
        return logits

    return answer, "latency"


SIDES: dict[str, Callable[[Job], tuple[Answer, str]]] = {
    "residua": residua,
    "torch": torch,
    "onnxruntime": onnxruntime,
    "openvino": openvino,
}
