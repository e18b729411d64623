"""Seeing to problems (问题整改): who has each in hand, by when, what was done, and who looked at it."""
