"""What capsules know: reconstructions, and what each number of a class capsule does.

No text: the drawings are all that there is.
"""
