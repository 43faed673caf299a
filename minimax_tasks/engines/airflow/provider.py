"""What Airflow is told of the provider: its connection type with the fields of the form, and where its parts are."""

from importlib.metadata import version
from typing import Any

_ROOM = "minimax_tasks.engines.airflow"


def get_provider_info() -> dict[str, Any]:
    """The metadata of the provider (entry point `apache_airflow_provider`)."""
    integration = {"integration-name": "MiniMax"}
    return {
        "package-name": "minimax-tasks",
        "name": "MiniMax",
        "description": "Video clips made by MiniMax (Hailuo), each paid for once.",
        "versions": [version("minimax-tasks")],
        "integrations": [
            integration
            | {"external-doc-url": "https://github.com/minimax-tasks/minimax-tasks", "tags": ["service"]}
        ],
        "operators": [integration | {"python-modules": [f"{_ROOM}.operators"]}],
        "hooks": [integration | {"python-modules": [f"{_ROOM}.hooks"]}],
        "triggers": [integration | {"python-modules": [f"{_ROOM}.triggers"]}],
        "extra-links": [f"{_ROOM}.links.VideoLink"],
        "connection-types": [
            {
                "connection-type": "minimax",
                "hook-class-name": f"{_ROOM}.hooks.MiniMaxHook",
                "hook-name": "MiniMax",
                "ui-field-behaviour": {
                    "hidden-fields": ["login", "port", "schema"],
                    "relabeling": {"password": "API key", "host": "Base URL"},
                    "placeholders": {
                        "host": "https://api.minimaxi.com",
                        "password": "the key of the account",
                    },
                },
                "conn-fields": {
                    "root": _field(
                        "Root", "string", "Where the files go: an absolute path, or s3://bucket/videos"
                    ),
                    "budget": _field("Budget in USD", "number", "Most that may be spent on the root, ever"),
                    "requests_per_minute": _field(
                        "Submits a minute", "number", "Most of this connection's tasks"
                    ),
                    "tracking_url": _field(
                        "Link of a video", "string", "https://videos.example/{path}, for the button"
                    ),
                },
            }
        ],
    }


def _field(label: str, kind: str, description: str) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": [kind, "null"]}}
