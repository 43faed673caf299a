"""Dagster: a resource, assets for a clip, a board and a table, and an IO manager that hands clips on."""

from minimax_tasks.engines.dagster.boards import board_assets
from minimax_tasks.engines.dagster.clips import clip_asset
from minimax_tasks.engines.dagster.io_manager import ClipIOManager
from minimax_tasks.engines.dagster.resource import MiniMaxResource
from minimax_tasks.engines.dagster.tables import table_asset

__all__ = ["ClipIOManager", "MiniMaxResource", "board_assets", "clip_asset", "table_asset"]
