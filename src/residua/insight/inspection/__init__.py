"""Inside a network: filters, feature maps, strongest pictures, channels that are never on.

`stages` are the layers that give maps, `channels` chooses what is drawn of them, `feature_map` lays pictures
out by what the head reads, `statistics` follows the layers over the epochs of a run.
"""
