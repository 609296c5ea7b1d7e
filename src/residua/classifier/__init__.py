"""A classifier with scikit-learn's interface: fit, predict, predict_proba, score, save, load.

May import: config, cores, data, engines, errors, models, training.
"""

from residua.classifier.estimator import Classifier

__all__ = ["Classifier"]
