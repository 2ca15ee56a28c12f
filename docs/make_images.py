"""Make the pictures of the README in both languages from the package's own output.

``python docs/build.py --pictures`` calls this; it needs Chromium and Pillow. Each picture carries a digest of the pages
that it was made from, which a test compares, so that a picture cannot fall behind.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from symbptt import load

IMAGES = Path(__file__).resolve().parent / "images"
NAME, SECTIONS = "relu-explosion", ("forward", "backward")
COLUMN, HEIGHT, SCALE, WIDTH, MARGIN = 520, 2400, 2, 1000, 16
"""Of a column in CSS pixels; the picture is taken at ``SCALE`` and made ``WIDTH`` wide."""
DIGEST = "Made-From"
"""Under which name the digest stands in the PNG."""

TRIM = """<style>
header, footer, .level-2 > p, #backward\\.0, summary::after { display: none !important }
.level-2 { border: 0 !important }
</style>"""
"""What a picture leaves out: the title, the sentence below the heading of a section, the initial state."""


def pages(lang: str) -> list[tuple[str, int]]:
    """Return the pages of a picture, with their widths: the graph, then a column for each sweep."""
    model = load(NAME)
    found = [(_page(model.graph(lang=lang).to_svg()), 2 * COLUMN)]
    for section in SECTIONS:
        derivation = model.derivation(lang, detail="numbers", sections=[section])
        assert derivation.verify()
        found.append((derivation.to_html().replace("</head>", f"{TRIM}</head>"), COLUMN))
    return found


def _page(svg: str) -> str:
    """Put a drawing into the middle of a page."""
    style = f"body {{ margin: 0; text-align: center }} svg {{ width: {COLUMN}px; height: auto }}"
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"/><style>{style}</style></head><body>{svg}</body></html>'


def digest(lang: str) -> str:
    """Return the digest of what a picture is made from."""
    return hashlib.sha256("\0".join(html for html, _ in pages(lang)).encode()).hexdigest()


def screenshot(html: str, width: int, folder: Path) -> object:
    """Return the picture of a page, without the empty space above and below it."""
    from PIL import Image, ImageChops

    page, shot = folder / "page.html", folder / "page.png"
    page.write_text(html, encoding="utf-8")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--screenshot={shot}",
         f"--force-device-scale-factor={SCALE}", f"--window-size={width},{HEIGHT}", page.as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip
    picture = Image.open(shot).convert("RGB")
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
    assert box is not None and box[3] < picture.height, "the page is empty, or higher than the window"
    return picture.crop((0, box[1], picture.width, box[3]))


def make(lang: str) -> Path:
    """Write the picture of a language and return its path."""
    from PIL import Image, PngImagePlugin

    with tempfile.TemporaryDirectory() as folder:
        graph, *columns = [screenshot(html, width, Path(folder)) for html, width in pages(lang)]
    margin = MARGIN * SCALE
    height = graph.height + max(p.height for p in columns) + 4 * margin
    whole = Image.new("RGB", (graph.width, height), "white")
    whole.paste(graph, (0, margin))
    for i, column in enumerate(columns):
        whole.paste(column, (i * column.width, graph.height + 3 * margin))
    small = whole.resize((WIDTH, round(height * WIDTH / whole.width)), Image.Resampling.LANCZOS)
    said = PngImagePlugin.PngInfo()
    said.add_text(DIGEST, digest(lang))
    target = IMAGES / lang / f"{NAME}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    # 256 colours show no difference, and make a small file.
    small.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(target, optimize=True, pnginfo=said)
    return target


if __name__ == "__main__":
    for lang in ("en", "zh"):
        target = make(lang)
        print(f"wrote {target.relative_to(IMAGES.parent)}, {target.stat().st_size // 1000} kB")
