"""Matrix products: the micro-kernel that all convolutions and linear layers end in.

`micro_kernel` keeps a block of the result in registers; `product` puts products of any size together from
it; `few_rows` is the product of a few rows; `operands` are what a product is told; `blocks` and `panels`
say how matrices are cut.
"""
