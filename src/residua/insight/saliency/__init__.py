"""Which parts of a picture a class score depends on."""
