"""The first generation of the API, whose models are the Hailuo and 01 series.

What its requests and answers look like on the wire is in `api/requests.py` and `api/answers.py`.
"""
