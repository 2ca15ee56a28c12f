"""Build the documentation in both languages, with warnings as errors: ``python docs/build.py [FOLDER]``.

The site is in ``docs/_build/html`` or in the folder that is given; open its ``index.html``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LANGUAGES = ("en", "zh")


def build(site: Path) -> None:
    """Build the site; end with the exit code of Sphinx if a page fails."""
    site.mkdir(parents=True, exist_ok=True)
    for lang in LANGUAGES:
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-j", "auto", "-b", "html"]
        command += ["-c", str(HERE), "-t", lang, "-d", str(HERE / "_build" / "doctrees" / lang)]
        code = subprocess.run([*command, str(HERE / lang), str(site / lang)]).returncode
        if code:
            raise SystemExit(code)
    (site / "index.html").write_text((HERE / "choose.html").read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "_build" / "html"
    build(folder.resolve())
    print(f"the site: {folder / 'index.html'}")
