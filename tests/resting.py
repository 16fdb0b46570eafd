"""run.py that rests a long time after each piece of what it removes: a kill comes in the middle."""

import sys

import chat.room.chores
from chat.main import main

if __name__ == "__main__":
    chat.room.chores.REST = 3600.0
    sys.exit(main())
