"""The second generation of the API, whose models are MiniMax-H3 and its variants.

`wire` has what its requests and answers look like, `errors` how it says no, `answers` what a task and a list of
tasks say, `endpoints` the paths.
"""
