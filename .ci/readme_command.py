"""Print the command of a fenced block in README.md, exactly as it stands there.

The block follows an HTML comment that names it, with nothing but blank lines between::

    <!-- ci:test -->
    ```sh
    pytest -q
    ```

Usage: ``python .ci/readme_command.py test``
"""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def block(text: str, name: str) -> str:
    """Return the text of the one fenced block that follows ``<!-- ci:name -->``."""
    mark = re.escape(f"<!-- ci:{name} -->")
    found = re.findall(rf"^{mark}[ \t]*\n\s*?^(`{{3,}})[^\n`]*\n(.*?)^\1[ \t]*$", text, flags=re.M | re.S)
    if len(found) != 1:
        raise SystemExit(f"README.md: {len(found)} fenced blocks after <!-- ci:{name} -->, expected 1")
    command: str = found[0][1].strip("\n")
    if not command.strip():
        raise SystemExit(f"README.md: the block after <!-- ci:{name} --> is empty")
    if re.search(r"^\s*[$>] ", command, flags=re.M):
        raise SystemExit(f"README.md: the block after <!-- ci:{name} --> has prompts; it must paste into a shell")
    return command


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    print(block(README.read_text(encoding="utf-8"), sys.argv[1]))
