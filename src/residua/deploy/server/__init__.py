"""A server of models over HTTP: pictures in, classes out, by one worker, within bounds.

`application.py` has the addresses, `worker.py` the queue and its thread, `answering.py` the model and the
engine; `running.py` opens the port and ends in order.
"""
