"""Which parts of a picture a class score depends on.

`methods` computes the maps, `cam_layer` chooses the layer of Grad-CAM, `randomization` tests whether maps
depend on what was learned.
"""
