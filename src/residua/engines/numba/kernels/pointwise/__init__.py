"""1x1 convolutions on their way back, and pixels at every stride-th place.

Chosen for the gradients of every 1x1 convolution without a stride over whole vectors of channels; one with a
stride is made such a one by taking pixels out first.
"""
