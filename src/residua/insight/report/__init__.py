"""The report: one page of HTML and a model card, from what a trained model and its run folder hold.

`numbers` collects everything once (`explanations` the saliency maps), `text` puts it into words, `tables`,
`figure`, `pictures` and `saliency_section` make the parts, `page` and `card` fill `templates/` with them.
"""
