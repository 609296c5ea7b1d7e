"""Other people's weights in one pass: read, named as here, fitted to a model of the table, checked."""
