"""The peers of serve_load.py: servers as people write them with FastAPI, and PyTorch or ONNX Runtime.

    python benchmarks/serve_fastapi.py PORT               PyTorch: ResNet-20
    python benchmarks/serve_fastapi.py PORT MODEL.onnx    ONNX Runtime: a file of `residua export`

PyTorch's weights are drawn, as only the time counts. One process, a thread for each request, the network in
evaluation mode without gradients. FastAPI is needed for this alone: pip install fastapi uvicorn.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import numpy as np
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image

Pixels = np.ndarray  # (32, 32, 3) uint8

application = FastAPI()
classes = [f"class{number}" for number in range(10)]


def by_torch() -> Callable[[Pixels], np.ndarray]:
    """Probabilities by PyTorch."""
    import torch

    from residua.bench.pytorch_networks import small_resnet

    network = small_resnet(20).eval()
    mean = torch.tensor((0.485, 0.456, 0.406)).reshape(3, 1, 1)
    std = torch.tensor((0.229, 0.224, 0.225)).reshape(3, 1, 1)

    def ask(picture: Pixels) -> np.ndarray:
        pixels = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
        with torch.inference_mode():
            return network(((pixels - mean) / std)[None]).softmax(dim=1)[0].numpy()

    return ask


def by_onnx(file: str) -> Callable[[Pixels], np.ndarray]:
    """Probabilities by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file)
    return lambda picture: session.run(["probabilities"], {"images": picture[None]})[0][0]


ask = by_onnx(sys.argv[2]) if len(sys.argv) > 2 else by_torch()


def answer(content: bytes) -> dict[str, object]:
    """What is in a picture file."""
    try:
        picture = Image.open(io.BytesIO(content)).convert("RGB").resize((32, 32))
    except Exception as error:
        raise HTTPException(400, str(error)) from None
    shares = ask(np.asarray(picture).copy())
    best = shares.argsort()[::-1][:3].tolist()
    return {"top": [{"class": classes[index], "probability": float(shares[index])} for index in best]}


@application.post("/v1/predict")
async def predict(request: Request) -> dict[str, object]:
    """A picture's most probable classes."""
    return await run_in_threadpool(answer, await request.body())


@application.get("/v2/health/ready")
def ready() -> dict[str, bool]:
    """Whether it has started."""
    return {"ready": True}


if __name__ == "__main__":
    uvicorn.run(application, port=int(sys.argv[1]), log_level="critical", access_log=False)
