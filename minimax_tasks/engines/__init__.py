"""Other workflow engines: each a folder of its own, thin over `make`, and an extra of the package.

What they share is beside the folders: requests as plain data, roots that several workers can use, which failures
are worth another try, and what a page shows of a clip. Luigi is not loaded.
"""
