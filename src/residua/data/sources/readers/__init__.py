"""File formats in which publishers pack pictures and labels, read into arrays without running anything."""
