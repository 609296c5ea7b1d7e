"""How publishers lay out their picture files, and which layout a folder has."""
