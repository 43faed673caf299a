"""The two kinds of task that the first generation of the API has."""

from minimax_tasks.api.endpoint import Endpoint

GENERATION = Endpoint(
    name="v1/video_generation",
    submit_path="/v1/video_generation",
    query_path="/v1/query/video_generation",
    retrieve_path="/v1/files/retrieve",
    source="query",
    generation="v1",
)
"""Clips of a model, in all its modes."""

TEMPLATE_GENERATION = Endpoint(
    name="v1/video_template_generation",
    submit_path="/v1/video_template_generation",
    query_path="/v1/query/video_template_generation",
    retrieve_path="",
    source="agent",
    generation="v1",
)
"""Clips of the service's video templates."""
