"""Who is where and what they are told, in memory."""
