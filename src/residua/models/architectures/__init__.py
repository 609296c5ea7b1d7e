"""Builders of networks, one file a family: each gives layers, from the paper that the file names."""
