"""When two shapes are one. Pictures of the API and films go by it, and neither room knows the other."""

from fractions import Fraction

SHAPE_TOLERANCE = Fraction(1, 50)
"""Two ratios of width to height that differ by no more are one shape: sides of clips are whole, even numbers."""
