"""Capsules (Sabour, Frosst, Hinton 2017, arXiv 1710.09829): what each expects of those above, and routing.

CapsNet's predictions are megabytes a batch but 0.7 MB a picture, which fit into the second-level cache: so
all work is done picture by picture, and a picture's predictions are read once for each routing.
"""
