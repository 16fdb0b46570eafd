"""Sockets: how they are opened, read, written and ended."""
