"""Words: every vocabulary and every question of the form, with label and source, as `GET /terms` gives them."""
