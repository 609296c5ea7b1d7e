"""Convolutions of gathered windows (im2col): one matrix product of many."""
