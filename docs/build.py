"""Build the documentation in both languages, with warnings as errors: ``python docs/build.py [FOLDER]``.

The site is in ``docs/_build/html`` or in the folder that is given; open its ``index.html``. With ``--pictures`` the
pictures of the README are made first, which needs Chromium and Pillow.
"""

from __future__ import annotations

import argparse
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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE / "_build" / "html")
    parser.add_argument("--pictures", action="store_true", help="make the pictures of the README first")
    given = parser.parse_args()
    if given.pictures:
        subprocess.run([sys.executable, str(HERE / "make_images.py")], check=True)
    build(given.folder.resolve())
    print(f"the site: {given.folder / 'index.html'}")
