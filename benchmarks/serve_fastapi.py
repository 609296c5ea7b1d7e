"""The peer of serve_load.py: a server as people write it with FastAPI and PyTorch, ResNet-20 inside.

    python benchmarks/serve_fastapi.py PORT

One process, a thread for each request, the network in evaluation mode without gradients; the weights are
drawn, as only the time counts. FastAPI is needed for this alone: pip install fastapi uvicorn.
"""

from __future__ import annotations

import io
import sys

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image

from residua.bench.pytorch_networks import small_resnet

application = FastAPI()
network = small_resnet(20).eval()
classes = [f"class{number}" for number in range(10)]
MEAN = torch.tensor((0.485, 0.456, 0.406)).reshape(3, 1, 1)
STD = torch.tensor((0.229, 0.224, 0.225)).reshape(3, 1, 1)


def answer(content: bytes) -> dict[str, object]:
    """What is in a picture file."""
    try:
        picture = Image.open(io.BytesIO(content)).convert("RGB").resize((32, 32))
    except Exception as error:
        raise HTTPException(400, str(error)) from None
    pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float() / 255
    with torch.inference_mode():
        shares = network(((pixels - MEAN) / STD)[None]).softmax(dim=1)[0]
    top = shares.topk(3)
    pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
    return {"top": [{"class": classes[index], "probability": share} for index, share in pairs]}


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
