"""Luigi tasks, thin: parameters in, targets out, one call down to `minimax_tasks.clips`."""

from minimax_tasks.tasks import configuration  # noqa: F401  Luigi shows the settings in `--help-all` from now on
