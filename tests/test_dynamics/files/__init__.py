"""Tests of the files room: places, writing, checksums, NetCDF."""
