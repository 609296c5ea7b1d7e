"""The operations of the vocabulary, each in the module that is named after it."""
