"""From a board to a plan: what each segment is made from, what it waits for, and what is wrong."""
