"""Keys, sealed fields and blobs, blind indexes and masks: what keeps personal data secret.

Nothing here knows a database or a web framework: bytes and text in, bytes and text out.
"""
