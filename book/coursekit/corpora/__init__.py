"""Labelled text in one form, whatever file it comes from; downloads only when asked.

    from coursekit import corpora

    data = corpora.code_string_comment()
    print(data)                      # name, version, hash, size of each split
    texts, labels = data.train       # N strings, (N,) int64 in [0, data.C)

Built in: code_string_comment, docstrings. From files: imdb, imdb_keras, cnews, thucnews, tabbed,
from_csv. From the network: fetch, or fetch=True. On the command line: python -m coursekit.corpora.
"""

from coursekit.corpora.builtin import code_string_comment, docstrings
from coursekit.corpora.csvfile import from_csv
from coursekit.corpora.download import cache, fetch
from coursekit.corpora.form import Corpus, CorpusError, Split, divide
from coursekit.corpora.reviews import imdb, imdb_keras
from coursekit.corpora.tables import cnews, tabbed, thucnews

__all__ = [
    "Corpus",
    "CorpusError",
    "Split",
    "cache",
    "cnews",
    "code_string_comment",
    "divide",
    "docstrings",
    "fetch",
    "from_csv",
    "imdb",
    "imdb_keras",
    "tabbed",
    "thucnews",
]
