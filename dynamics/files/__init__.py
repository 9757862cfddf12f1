"""Files: what stands at a path, writing in one step, checksums, and data sets in NetCDF."""
