"""The visit schedule (走访计划): what is owed to whom by when, what met it, and who is overdue on any day."""
