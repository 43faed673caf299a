"""Luigi tasks, thin: parameters in, targets out, one call down to `minimax_tasks.clips`."""
