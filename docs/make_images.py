"""Make the pictures of the README from the package's own output.

Usage: ``python docs/make_images.py``. It needs Chromium and Pillow, and is run by hand when the HTML page changes.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

from symbptt import load

IMAGES = Path(__file__).resolve().parent / "images"
COLUMN, HEIGHT, SCALE, WIDTH, MARGIN = 490, 2400, 2, 1000, 16
"""Of a column in CSS pixels; the picture is taken at ``SCALE`` and made ``WIDTH`` wide."""

TRIM = """<style>
header, footer, .level-2 > p, #backward\\.0, summary::after { display: none !important }
.level-2 { border: 0 !important }
</style>"""
"""What a picture leaves out: the title, the sentence below the heading of a section, the initial state."""


def screenshot(html: str, folder: Path) -> Image.Image:
    """Return the picture of a page, without the empty space below it."""
    page, shot = folder / "page.html", folder / "page.png"
    page.write_text(html.replace("</head>", f"{TRIM}</head>"), encoding="utf-8")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--screenshot={shot}",
         f"--force-device-scale-factor={SCALE}", f"--window-size={COLUMN},{HEIGHT}", page.as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip
    picture = Image.open(shot).convert("RGB")
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
    assert box is not None and box[3] < picture.height, "the page is empty, or higher than the window"
    return picture.crop((0, box[1], picture.width, box[3]))


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """Return pictures beside each other, all beginning at the top."""
    margin = MARGIN * SCALE
    height = max(p.height for p in pictures) + 2 * margin
    whole = Image.new("RGB", (sum(p.width for p in pictures), height), "white")
    left = 0
    for picture in pictures:
        whole.paste(picture, (left, margin))
        left += picture.width
    return whole.resize((WIDTH, round(whole.height * WIDTH / whole.width)), Image.Resampling.LANCZOS)


def relu_explosion() -> Image.Image:
    """Return the forward pass and the backward sweep of the worked example."""
    model = load("relu-explosion")
    pictures = []
    with tempfile.TemporaryDirectory() as folder:
        for section in ("forward", "backward"):
            derivation = model.derivation(detail="numbers", sections=[section])
            assert derivation.verify()
            pictures.append(screenshot(derivation.to_html(), Path(folder)))
    return side_by_side(pictures)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    target = IMAGES / "relu-explosion.png"
    # 128 colours show no difference, and make a small file.
    relu_explosion().quantize(128, method=Image.Quantize.MAXCOVERAGE).save(target, optimize=True)
    print(f"wrote {target.name}, {target.stat().st_size // 1000} kB")
