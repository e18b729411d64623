"""Lists of what is owed (走访清单): a visitor's worklist, the overdue board, the phones' sync."""
