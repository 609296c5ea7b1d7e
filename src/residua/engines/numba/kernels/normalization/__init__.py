"""Batch normalisation's numbers per channel, and its passes over pictures.

The passes are chosen where no convolution beside them loads or stores the pictures anyway.
"""
