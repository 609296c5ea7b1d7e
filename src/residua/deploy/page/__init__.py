"""A page: one file of HTML that holds a model, its engine and all that it needs, opened by a double click.

`engine/`, `pixels/` and `interface/` hold what the page does, in JavaScript and WebAssembly's text;
`assembler.py` makes bytes of the latter, `packing.py` what a page holds of the model, `document.py` the page.
"""
