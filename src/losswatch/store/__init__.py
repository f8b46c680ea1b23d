"""Where state is kept: SQLite, a journal and snapshots. Knows bytes and events, no monitors."""
