"""The classes of pictures that nobody has labelled, by a model file.

No figure: what is predicted is words.
"""
