"""From a table of requests to a dataset: one Luigi task for many clips, each clip with its own files."""
