"""The button on a task's page that leads to its video."""

from typing import Any

from airflow.sdk import BaseOperatorLink


class VideoLink(BaseOperatorLink):
    """Leads to the video, where the connection says at which address a browser finds the root."""

    name = "Video"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address; "" where none is known."""
        return str(getattr(operator, "video_link", ""))
