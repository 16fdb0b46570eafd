"""What survives a restart: one SQLite file, one writer, one reader."""
