"""Pictures that fool a model: attacks, accuracy under attack, pictures made for a class.

`numbers` fools a model on one picture by `attacks`; `noise`, `class_visualization` and `robustness` are the
other three things that are computed.
"""
