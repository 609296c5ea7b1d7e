"""What each member of an ensemble, and each pair of members, is worth.

No figure: a table says it.
"""
