"""Other people's weights become a model in one pass: read, named, sized, laid out, checked.

1. `importing.py` is the pass from beginning to end: a file or folder in, a `Model` out.
2. `files/published_weights.py` reads {published name: array}, running nothing.
3. `fitting.py` proposes models of the table, as wide and with as many classes as the weights are,
   and takes the one whose variables they fill, each accounted for;
4. `names.py` says which variable of a network each published name stands for,
5. `layout.py` turns the arrays as this library has them: PyTorch's are the other way round.
6. `class_names.py` finds what the classes are called.
"""
