"""What the site contains, in order: captions in both languages, and pages."""

from __future__ import annotations

CONTENTS: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
    ({"en": "Learn", "zh": "学习"}, ("tutorial", "examples")),
    (
        {"en": "How to", "zh": "操作指南"},
        (
            "howto/check-notes", "howto/check-gradients", "howto/compare-gradients", "howto/own-cell",
            "howto/cell-from-latex", "howto/own-loss", "howto/notation", "howto/rows", "howto/papers", "howto/slides",
            "howto/sphinx", "howto/notebooks", "howto/markdown", "howto/jax",
        ),
    ),
    ({"en": "Notebooks", "zh": "笔记本"}, ("notebooks/*",)),
    (
        {"en": "Common mistakes", "zh": "常见错误"},
        (
            "mistakes/index", "mistakes/lost-sum", "mistakes/missing-derivative", "mistakes/transposed",
            "mistakes/reversed-product", "mistakes/inverted-factor", "mistakes/index-shift", "mistakes/sign",
            "mistakes/total-immediate", "mistakes/scalar-formula", "mistakes/one-step-bound", "mistakes/numbers",
        ),
    ),
    (
        {"en": "Explanation", "zh": "原理"},
        (
            "explanation/layout", "explanation/two-derivatives", "explanation/proof", "explanation/speed", "stability",
            "truncation", "verification",
        ),
    ),
    (
        {"en": "Reference", "zh": "参考"},
        (
            "python-api", "reference/api", "cells", "equation-language", "model-files", "conventions", "json",
            "reference/schemas",
        ),
    ),
)  # fmt: skip


def toctrees(lang: str) -> str:
    """Return the contents as MyST directives that are not shown on the page itself."""
    return "".join(
        f"\n\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption[lang]}\n\n" + "\n".join(pages) + "\n```\n"
        for caption, pages in CONTENTS
    )
