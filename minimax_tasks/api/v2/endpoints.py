"""The kind of task that the second generation of the API makes clips with."""

from minimax_tasks.api.endpoint import Endpoint
from minimax_tasks.api.v1.endpoints import GENERATION as FIRST_GENERATION

GENERATION = Endpoint(
    name="v2/video_generation",
    submit_path="/v2/video_generation",
    query_path="/v2/query/video_generation",
    retrieve_path="",
    source="v2",
    generation="v2",
    list_path="/v2/query/video_generation",
    cancel_path="/v2/video_generation",
    kept_days=7,
    # Recorded: the first generation's query knows these tasks as well.
    former=FIRST_GENERATION,
    rate_setting="h3_requests_per_minute",
    in_flight=30,
    takes_uploads=True,
    paces_reads=True,
)
"""Clips of a model, in all its modes."""
