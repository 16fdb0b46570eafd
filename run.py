"""Start the chat: python run.py --port=8000"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # first of all: an older one cannot read the rest
    major, minor = sys.version_info[:2]
    sys.exit(f"chat: needs Python 3.11 or newer, this is {major}.{minor}")

try:
    from chat.main import main
except ModuleNotFoundError as error:
    sys.exit(f"chat: this Python has no {error.name}: start with `make run`, or `pip install -e .`")

if __name__ == "__main__":
    sys.exit(main())
