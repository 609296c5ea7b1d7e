"""Where pictures come from: the table of data sets, downloads, file formats, layouts, folders, tables."""
