"""What each member of an ensemble, and each pair of members, is worth."""
