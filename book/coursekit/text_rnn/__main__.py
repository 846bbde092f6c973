"""The command line without an installed script: python -m coursekit.text_rnn --help."""

import sys

from coursekit.text_rnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
