"""The cut in formats of other programs."""
