"""What runs as machine code. Everything here is part of the name under which compiled kernels are kept.

May import: nothing.
"""
