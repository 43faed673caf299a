"""What the service offers, as tables: every row says where it comes from.

Adding a model, a move, a template, a price or an error code means adding a row.
"""
