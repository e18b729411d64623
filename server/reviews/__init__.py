"""Decisions on visit records (审核): accepted, returned, void, withdrawn."""
