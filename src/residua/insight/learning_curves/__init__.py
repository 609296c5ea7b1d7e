"""Loss and accuracy over the epochs of runs, and over the rates of a sweep.

No text: a run prints its epochs itself, and a sweep its rate.
"""
