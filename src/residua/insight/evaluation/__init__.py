"""A model answers a split: the answers, the metrics, the confusion matrix.

`predictions` opens the data and asks the model; every capability that needs answers begins there.
"""
