"""The report: one page of HTML and a model card, from what a trained model and its run folder hold.

`gather` finds, `words` says, `charts` and `pictures` draw, `page` puts together with `templates/`.
"""
