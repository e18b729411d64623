"""地理位置: where a home is, where a phone said it was, and whether the two agree."""
