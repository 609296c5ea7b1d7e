"""Smooth activations, a row of numbers at a time, and their passes over pictures.

A convolution's kernel that loads a picture calls these rows by their address: they are compiled for
networks that have such an activation, and no kernel is compiled anew for them.
"""
