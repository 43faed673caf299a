"""The life of one clip: submit, poll, download, as plain async functions over a client and a clip folder.

No Luigi here: a script, a test or another engine gets the same guarantees.
"""
