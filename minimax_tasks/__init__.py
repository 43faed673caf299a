"""MiniMax (Hailuo) video generation as Luigi tasks."""
