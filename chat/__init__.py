"""A self-hosted group chat: one room, one process, nothing lost."""

__version__ = "0.1.0"
