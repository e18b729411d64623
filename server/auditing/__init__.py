"""Auditing (审计): searching the ledger, who has looked at whom, proofs, receipts, and what an inspector takes along."""
