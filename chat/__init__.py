"""A self-hosted group chat: one room, one process, nothing lost."""

__version__ = "0.2.0"
