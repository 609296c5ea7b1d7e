"""Loss and accuracy over the epochs of runs, and over the rates of a sweep."""
