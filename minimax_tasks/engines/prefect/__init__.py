"""Prefect 3: tasks and flows that make clips and films, a block for the key, artifacts with a preview."""

from minimax_tasks.engines.prefect.credentials import MiniMaxCredentials
from minimax_tasks.engines.prefect.flows import make_clips, make_film
from minimax_tasks.engines.prefect.tasks import join_film, make_clip

__all__ = ["MiniMaxCredentials", "join_film", "make_clip", "make_clips", "make_film"]
