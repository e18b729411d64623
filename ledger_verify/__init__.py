"""Verifies, on a computer without network, what the visits service exported of its ledger (docs/verification.md).

Nothing but Python's own library is needed, and nothing of the service: what is read here is read anew, from the formats
(RFC 6962, RFC 8032, C2SP signed notes), so that a mistake there is not repeated here.
"""
