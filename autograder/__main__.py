"""`python -m autograder VERB ...`."""

import sys

from autograder import start

start.quickly()

from autograder.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
