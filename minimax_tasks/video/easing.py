"""How a camera starts and stops."""


def eased(time: float, soft: float) -> float:
    """How far a move is at a share of its time, both from 0 to 1.

    It gathers speed for the share `soft`, goes on evenly, and loses it again.
    """
    if time < soft:
        done = time * time / (2 * soft)
    elif time > 1 - soft:
        done = 1 - soft - (1 - time) ** 2 / (2 * soft)
    else:
        done = time - soft / 2
    return done / (1 - soft)
