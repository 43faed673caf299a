"""The MiniMax video API (V1) as typed Python: tables, requests, answers, errors and the HTTP client."""
