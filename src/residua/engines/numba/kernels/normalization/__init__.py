"""Batch normalisation's numbers per channel, and its passes over pictures."""
