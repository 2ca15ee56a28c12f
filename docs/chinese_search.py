"""Search in Chinese pages: pairs of neighbouring characters are the words, in the index and in what is looked for."""

from __future__ import annotations

import re
from typing import Any

from sphinx.search.en import SearchEnglish

RUN = re.compile(r"[\u4e00-\u9fff]+|[A-Za-z0-9_]+")
SPLIT = r"""
function splitQuery(query) {
  const words = [];
  for (const run of query.match(/[\u4e00-\u9fff]+|[A-Za-z0-9_]+/g) || []) {
    if (run.charCodeAt(0) < 0x4e00 || run.length < 3) words.push(run);
    else for (let i = 0; i + 1 < run.length; i++) words.push(run.slice(i, i + 2));
  }
  return words;
}
"""


class SearchChinese(SearchEnglish):
    """Chinese without a dictionary of words; Latin words are those of English."""

    lang = "zh"
    js_splitter_code = SPLIT

    def split(self, input: str) -> list[str]:
        """Return Latin words, and every pair of neighbours of Chinese characters."""
        return [word for run in RUN.findall(input) for word in _pairs(run)]

    def word_filter(self, word: str) -> bool:
        """Keep what has two characters."""
        return len(word) > 1 and super().word_filter(word)

    def stem(self, word: str) -> str:
        """Return the stem of a Latin word."""
        return word if word >= "\u4e00" else super().stem(word)


def _pairs(run: str) -> list[str]:
    return [run] if run < "\u4e00" or len(run) < 3 else [run[i : i + 2] for i in range(len(run) - 1)]


def setup(app: Any) -> None:
    """Register the language."""
    app.add_search_language(SearchChinese)
