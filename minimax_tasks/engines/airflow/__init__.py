"""Airflow 3: operators that submit and then defer, a trigger that polls many clips, a hook with the key.

Import from `operators`, `triggers` and `hooks`. Nothing is imported here: Airflow reads `provider` at every start.
"""
