"""What may be wrong with a data set: damage, copies, leaks between splits."""
