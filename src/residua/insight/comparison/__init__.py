"""Trained models side by side, and whether their difference is more than chance.

`significance` are the tests, `runs` what is known of the models' training.
"""
