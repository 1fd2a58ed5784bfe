"""The picture of a verdict that a shared link shows: drawn from its card, in tints of the verdict's colour."""

from __future__ import annotations

import importlib.util
import io
from functools import cache
from pathlib import Path
from typing import Any

from helpers.claims import card
from helpers.report.markup import visible
from helpers.words import quantity

#: Pixels, in the shape that the platforms show.
WIDE, HIGH, EDGE = 800, 420, 42


@cache
def _font(size: int, bold: bool = False) -> Any:
    from PIL import ImageFont

    # Matplotlib brings a font for every sign that we use; importing it for that would take a second.
    found = importlib.util.find_spec("matplotlib")
    folder = Path(str(found.origin if found else "")).parent / "mpl-data" / "fonts" / "ttf"
    return ImageFont.truetype(folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf", size)


def _wrapped(text: str, font: Any, most: int) -> list[str]:
    """A text in lines of the picture's width; what has no room in ``most`` lines is cut, with a sign."""
    lines = [""]
    for word in visible(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= WIDE - 2 * EDGE - 12:
            lines[-1] = longer
        else:
            lines.append(word[:60])
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1]} …"]


def picture(payload: card.Payload, project: str) -> bytes:
    """A PNG of 800 by 420: the claim, the verdict, the two figures and why."""
    from PIL import Image, ImageDraw

    name, sign, colour = card.LOOK[payload["verdict"]]
    # Drawn in grey levels; the palette then runs from the verdict's colour to white.
    image = Image.new("L", (WIDE, HIGH), 255)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 16, HIGH), 0)
    draw.rounded_rectangle((EDGE, 32, EDGE + 40 + _font(23, True).getlength(f"{sign} {name}"), 75), 21, 0)
    draw.text((EDGE + 20, 39), f"{sign} {name}", 255, _font(23, True))
    place = 97
    said, found = card.article_figure(payload), payload["decides"]
    figures = [f"In the article: {said}"] if said and found else []
    figures += [f"measured: {quantity(found['value'], found['unit'])}"] if said and found else []
    for text, font, most, step in (
        (payload["claim"]["says"], _font(25, True), 3, 33),
        (" · ".join(figures), _font(25), 1, 38),
        (payload["because"], _font(21), 5, 29),
    ):
        for line in _wrapped(text, font, most) if text else []:
            draw.text((EDGE, place), line, 0, font)
            place += step
        place += 10
    draw.text((EDGE, HIGH - 39), visible(f"{payload['id']} · {project}"), 90, _font(17))
    shades = image.point([round(level / 85) for level in range(256)])
    shades = shades.convert("P")
    ends = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    shades.putpalette([end + (255 - end) * step // 3 for step in range(4) for end in ends])
    stream = io.BytesIO()
    shades.save(stream, "PNG", bits=2)
    return stream.getvalue()
