"""Luigi tasks, thin: parameters in, targets out, one call down to `minimax_tasks.clips`."""

from minimax_tasks.storage.temporary import temporary_place

temporary_place()  # Luigi asks for it while it is imported, and would end in a traceback of its own

from minimax_tasks.tasks import configuration  # noqa: E402, F401  Luigi shows the settings in `--help-all` from now on
