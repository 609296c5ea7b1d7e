"""Convolutions straight from the sum that defines them."""
