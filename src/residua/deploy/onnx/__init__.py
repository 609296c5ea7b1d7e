"""ONNX: a model as a file that any runtime reads, with its preprocessing inside and a proof beside it.

`network.py` writes a whole model as a graph, each layer by its function in `operations/`; `messages.py` and
`protobuf.py` make bytes of that, without the onnx package, which judges the result in `verification.py`.
"""
