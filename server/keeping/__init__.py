"""Backup and restore (备份与恢复): records, data keys and photos, apart, sealed, while the service goes on (docs/adr/0008)."""
