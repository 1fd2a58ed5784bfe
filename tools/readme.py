"""What came out, for the README: its first lines and its picture, made from the committed verdicts.

``python -m tools.readme`` writes both anew; a test fails while they say something else than the notebooks.
"""

from __future__ import annotations

import html
from typing import Any

from helpers import files, notebooks
from helpers.claims import card, registry, together
from helpers.files import HelperError
from helpers.report import site

README, PICTURE = files.ROOT / "README.md", files.ROOT / "docs" / "what-came-out.svg"
BEGIN, END = "<!-- what came out: written by python -m tools.readme -->", "<!-- end of what came out -->"
#: Pixels of a tile, of a row of them, and tiles in a row.
TILE, ROW, MOST = (48, 26), 31, 15


def text(verdicts: list[dict[str, Any]]) -> str:
    """The finding in Markdown: the headline, what was right and what wrong, each with its reason."""
    given = {entry["id"]: entry for entry in verdicts}
    lines = [f"**{site.headline([entry['verdict'] for entry in verdicts])}.**", ""]
    for name, side in zip(("Right", "Wrong, or misleading"), together.telling(given.values()), strict=True):
        lines += [f"{name}:", ""]
        lines += [f"- *{entry['claim']['says']}* {entry['because']} ({entry['id']})" for entry in side]
        lines += [""]
    alt = "One tile a sentence of the article, by part: its sign and colour say the verdict."
    return "\n".join([*lines, f"![{alt}](docs/{PICTURE.name})"])


def picture(verdicts: list[dict[str, Any]]) -> str:
    """The whole article as an SVG: one tile a claim, by section, with sign, id and verdict."""
    given = {entry["id"]: entry for entry in verdicts}
    parts, top = [], 6
    for key, name in registry.sections().items():
        own = [
            given[claim.id]
            for claim in registry.load().values()
            if claim.section == key and claim.id in given
        ]
        if not own:
            continue
        parts.append(f'<text x="0" y="{top + 14}" fill="#6b7480">{html.escape(name)}</text>')
        top += 22
        for place, entry in enumerate(own):
            x, y = place % MOST * (TILE[0] + 4), top + place // MOST * ROW
            label, sign, colour = card.LOOK[entry["verdict"]]
            tip = html.escape(f"{entry['id']}, {label}: {entry['because']}")
            parts.append(
                f'<g><title>{tip}</title><rect x="{x}" y="{y}" width="{TILE[0]}" height="{TILE[1]}" rx="4" '
                f'fill="{colour}"/><text x="{x + TILE[0] / 2}" y="{y + 17}" fill="#fff" text-anchor="middle">'
                f"{sign} {entry['id'][1:]}</text></g>"
            )
        top += -(-len(own) // MOST) * ROW + 6
    counts = {key: sum(entry["verdict"] == key for entry in verdicts) for key in card.LOOK}
    key = "   ".join(
        f"{card.LOOK[name][1]} {card.LOOK[name][0].lower()} {n}" for name, n in counts.items() if n
    )
    parts.append(f'<text x="0" y="{top + 16}" fill="#6b7480" font-size="11.5">{html.escape(key)}</text>')
    wide = MOST * (TILE[0] + 4)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {top + 26}" width="{wide}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img"><title>{html.escape(site.title())}</title>'
    )
    return "\n".join([head, *parts, "</svg>", ""])


def filled(readme: str, verdicts: list[dict[str, Any]]) -> str:
    """The README with the finding between its two marks."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise HelperError(f"README.md lacks “{BEGIN}” or “{END}”; put both where the finding shall stand.")
    return f"{before}{BEGIN}\n{text(verdicts)}\n{END}{after}"


def main() -> None:
    """Write both."""
    verdicts = notebooks.verdicts()
    files.write_whole(README, filled(README.read_text("utf-8"), verdicts))
    files.write_whole(PICTURE, picture(verdicts))


if __name__ == "__main__":
    main()
