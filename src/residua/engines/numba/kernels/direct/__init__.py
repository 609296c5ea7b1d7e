"""Convolutions straight from the sum that defines them.

Chosen where no other family is: few channels or few pictures, and every 1x1 kernel on its way forward;
`weight_gradient` where nobody asks for the gradient by the input, as for the first layer.
"""
