"""The second generation of the API in the sandbox: its judgement of requests, its answers, its uploads, its routes."""
