"""Every layer of residua in operators of ONNX; `table.py` says which function writes which layer."""
