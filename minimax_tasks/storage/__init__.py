"""Files on any fsspec storage: whole or not there at all."""
