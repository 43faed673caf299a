"""The sandbox's HTTP side: the endpoints as the service answers them, faults, and its own description."""
