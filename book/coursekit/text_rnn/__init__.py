"""Train, evaluate and use the Text-RNN of chapter 12 from the command line: `text-rnn --help`."""
