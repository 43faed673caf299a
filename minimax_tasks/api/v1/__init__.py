"""The first generation of the API, whose models are the Hailuo and 01 series.

`wire` has what its requests and answers look like, `endpoints` the paths.
"""
