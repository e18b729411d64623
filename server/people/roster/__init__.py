"""Rosters as officials really have them: read, interpreted row by row, and sent back with what has to be corrected."""
