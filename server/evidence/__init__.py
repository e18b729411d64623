"""Evidence (佐证): findings that explain why a record deserves a look, never a verdict (CONTRACT §6)."""
