"""What `check` found in a data set and what augmentation does to its pictures, drawn and told."""
