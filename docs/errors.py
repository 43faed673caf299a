"""Rewrites `errors.md` from the tables that the client uses: `python -m docs.errors`."""

from pathlib import Path

from minimax_tasks.console.catalogue import errors_rows

PAGE = Path(__file__).with_suffix(".md")

_HEAD = """# Errors

What the service answers, the exception that carries it (all under `MiniMaxError`), and what happens to the
request. `minimax-tasks errors` prints the same. Every `ApiError` has `code`, `http_status`, `verdict` and
`trace_id` (the `Trace-Id` header, to be quoted in a support request).

Without an answer there are two more cases: `NotConnected` when nothing was sent, which is retried
automatically, and `AnswerLost` when the connection broke later: reads are retried, a submit stops in doubt
(`UncertainSubmit`) until `minimax-tasks resolve` settles it.

| code | meaning | exception | what happens | what to do |
|---|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in errors_rows())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
