"""How a command ends."""

DONE = 0
FAILED = 1
"""Something failed while it ran."""

BAD_INPUT = 2
"""Bad input or usage; nothing was paid."""
