"""The pages of the worked examples, made from the model files.

``python docs/example_pages.py`` writes the list of examples in both languages, ``docs/en/examples.md`` and
``docs/zh/examples.md``. The page of each example is written when the site is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from symbptt import load
from symbptt.errors import SymbpttError
from symbptt.examples import example_names, find
from symbptt.examples.schema import TOPICS

WORDS = {
    "en": {
        "title": "Worked examples",
        "intro": """
A worked example is a model file with its numbers, and with a title in each language. `symbptt examples` lists them;
every command that takes a SOURCE takes the name of one. All of their lines are verified by the tests, and all of them
are written in every format and both languages.
""".strip(),
        "name": "Name",
        "notice": "What to notice",
        "graph": "The unrolled network",
        "cut": "With the truncation `{how}`:",
        "derivation": "Derivation",
        "norms": "Gradient norm over time",
        "spectrum": "Eigenvalues",
        "code": "Generated code",
        "file": "The model file",
        "try": "On the command line, the same derivation in any format:",
        "module": "The loss and every gradient, as a NumPy module that needs nothing else (`symbptt codegen {name}`):",
    },
    "zh": {
        "title": "算例",
        "intro": """
算例是一个带有数值的模型文件，标题有中英两种语言。`symbptt examples` 列出所有算例；
凡是接受 SOURCE 的命令，都可以写算例的名称。测试会检验每个算例的每一行，并以两种语言写出所有格式。
""".strip(),
        "name": "名称",
        "notice": "值得注意之处",
        "graph": "展开的网络",
        "cut": "采用截断 `{how}` 时：",
        "derivation": "推导",
        "norms": "梯度范数随时间的变化",
        "spectrum": "特征值",
        "code": "生成的代码",
        "file": "模型文件",
        "try": "在命令行中，同一推导可以写成任何格式：",
        "module": "损失与全部梯度，写成只依赖 NumPy 的模块（`symbptt codegen {name}`）：",
    },
}
COMMANDS = """```bash
symbptt derive relu-explosion --lang {lang} --to text
symbptt new my.toml --from relu-explosion
```"""


def index(lang: str) -> str:
    """Return the list of examples, by topic, with what to notice in each."""
    words = WORDS[lang]
    parts = [f"# {words['title']}", words["intro"], COMMANDS.format(lang=lang)]
    for topic, names in by_topic().items():
        rows = "\n".join(f"| `{name}` | {find(name).data['notice'][lang]} |" for name in names)
        parts.append(f"## {TOPICS[topic][lang]}")
        parts.append(f"| {words['name']} | {words['notice']} |\n| --- | --- |\n{rows}")
    return "\n\n".join(parts) + "\n"


def by_topic() -> dict[str, list[str]]:
    """Return topic -> names, both in their order."""
    found = {name: find(name).data for name in example_names()}
    names = sorted(found, key=lambda name: found[name]["place"])
    return {topic: [name for name in names if found[name]["topic"] == topic] for topic in TOPICS}


def linked(text: str) -> str:
    """Return the list of examples with a link to the page of each, for the site."""
    names = re.findall(r"^\| `([\w-]+)` \|", text, flags=re.M)
    text = re.sub(r"^\| `([\w-]+)` \|", r"| [`\1`](examples/\1.md) |", text, flags=re.M)
    return text + "\n```{toctree}\n:hidden:\n\n" + "\n".join(f"examples/{name}" for name in names) + "\n```\n"


def page(name: str, lang: str) -> str:
    """Return the page of an example."""
    words, data, model = WORDS[lang], find(name).data, load(name)
    return "\n\n".join([*_parts(name, lang, words, data, model)]) + "\n"


def _parts(name: str, lang: str, words: dict[str, str], data: Any, model: Any) -> Iterator[str]:
    yield f"# {data['title'][lang]}"
    yield f"{data['description'][lang]}{'。' if lang == 'zh' else '.'}"
    yield f":::{{admonition}} {words['notice']}\n:class: tip\n\n{data['notice'][lang]}\n:::"
    yield f"## {words['graph']}\n\n```{{symbptt-graph}} {name}\n```"
    for how in model.truncate:
        yield f"{words['cut'].format(how=how)}\n\n```{{symbptt-graph}} {name}\n:truncate: {how}\n```"
    yield f"## {words['derivation']}\n\n```{{symbptt}} {name}\n:headings:\n:fold: steps\n```"
    for kind in _plots(model):
        yield f"## {words[kind]}\n\n```{{symbptt-plot}} {name}\n:kind: {kind}\n```"
    yield f"## {words['code']}\n\n{words['module'].format(name=name)}"
    yield f"```{{symbptt-code}} {name}\n:fold: bptt.py\n```"
    yield f"## {words['file']}\n\n{words['try']}\n\n```bash\nsymbptt derive {name} --lang {lang} -o {name}.pdf\n```"
    yield f"```toml\n{_file_text(name)}\n```"


def _file_text(name: str) -> str:
    from importlib import resources

    return resources.files("symbptt.examples").joinpath(f"{name}.toml").read_text(encoding="utf-8").rstrip()


def _plots(model: Any) -> Iterator[str]:
    """Yield the kinds of plots for which there are numbers and Jacobian matrices."""
    with suppress(SymbpttError):
        data = model.stability().data
        yield "norms"
        # Of a single number there is nothing to draw, and a model with several states has several matrices.
        if not model.system.scalar and len(model.system.states) == 1 and data.spectra:
            yield "spectrum"


def write(folder: Path, lang: str) -> None:
    """Write the pages of all examples below a source folder, and leave those alone that have not changed."""
    target = folder / "examples"
    target.mkdir(exist_ok=True)
    for name in example_names():
        text, path = page(name, lang), target / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in target.glob("*.md"):
        if path.stem not in example_names():
            path.unlink()


if __name__ == "__main__":
    for lang in WORDS:
        (Path(__file__).resolve().parent / lang / "examples.md").write_text(index(lang), encoding="utf-8")
