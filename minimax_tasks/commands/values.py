"""Values of options, checked while the command line is read."""

import argparse
import contextlib
import math


def amount(text: str) -> float:
    """An amount of USD."""
    with contextlib.suppress(ValueError):
        value = float(text)
        if 0 <= value < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"{text!r}; allowed: an amount of USD, 0 or more")


def whole_number(text: str) -> int:
    """A number of things."""
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}; allowed: a whole number, 1 or more")
