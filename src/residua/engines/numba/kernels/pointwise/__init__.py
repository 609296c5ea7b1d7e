"""1x1 convolutions, and pixels at every stride-th place."""
