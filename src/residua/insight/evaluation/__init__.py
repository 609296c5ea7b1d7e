"""A model answers a split: the answers, the metrics, the confusion matrix."""
