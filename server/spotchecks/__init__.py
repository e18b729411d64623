"""Spot checks (抽查): a sample that anyone can draw again, back-checks, and what becomes of what they find (整改)."""
