"""People on social assistance (救助对象): who they are, since when and under what, who cares and who answers for them."""
