"""How claims and verdicts look: HTML and text for people, ClaimReview and our own JSON for machines.

A verdict is shown from its payload, the mapping of which a notebook's output holds what was measured. The words of
the claim's rule, its measures and its facts stand in the registry, and :func:`whole` puts them back; nothing looks
back at the code that judged.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.claims import registry, rules, seal
from helpers.words import listing, num, quantity

#: MIME type of the machine-readable verdict in a notebook's output.
MIME = "application/vnd.claims.verdict+json"
#: The same for outputs that show several claims: their ids, and as what they are shown.
CLAIMS_MIME = "application/vnd.claims.claims+json"
Payload = Mapping[str, Any]

#: Name, sign and colour of each verdict. The sign and the word carry it; the colour only helps.
LOOK: dict[str | None, tuple[str, str, str]] = {
    rules.SUPPORTED: ("Supported", "✓", "#00664b"),
    rules.CAVEAT: ("Supported, with a caveat", "✓*", "#3d6b00"),
    rules.MIXED: ("Mixed", "±", "#7a5200"),
    rules.MISLEADING: ("Misleading", "↷", "#8f3d00"),
    rules.CONTRADICTED: ("Contradicted", "✗", "#a01c1c"),
    rules.UNVERIFIED: ("Unverified", "?", "#44546a"),
    rules.NOT_CHECKABLE: ("Not checkable", "–", "#555555"),
    None: ("Synthetic data: no verdict", "◇", "#6b3fa0"),
}
#: Google's scale for ClaimReview runs from 1 (false) to 5 (true); who abstains gives no number.
RATING = dict(zip(rules.SCALE, (5, 4, 3, 2, 1), strict=False))
CLARITY = {"clear": "clear", "vague": "vague", "not-testable": "not testable"}
_OUTCOME = {True: "✓ holds", False: "✗ fails", None: "? cannot tell"}
_ORIGIN = {
    "store": "Market data to {last_session}.",
    "public": "Free series shipped with the project.",
    "synthetic": "SYNTHETIC: made-up prices.",
    None: "The public record.",
}


def signed(verdict: str | None) -> str:
    """Sign and name of a verdict."""
    name, sign, _ = LOOK[verdict]
    return f"{sign} {name}"


def turning(robustness: Mapping[str, Any]) -> list[str]:
    """Equivalent axes on which a verdict turns."""
    axes = (axis for axis in robustness.get("axes", []) if axis["kind"] == "equivalent")
    return [axis["axis"] for axis in axes if axis["same"] < axis["of"]]


def _e(text: Any) -> str:
    return html.escape(str(text))


def _role(role: str) -> str:
    return role.replace("-", " ").capitalize()


def _list(items: Iterable[str], css: str) -> str:
    """Items of HTML as a list; empty if there are none."""
    found = "".join(f"<li>{item}</li>" for item in items)
    return f'<ul class="{css}">{found}</ul>' if found else ""


def count_line(payload: Payload) -> str:
    """How many parts of a mixed sentence hold; empty where all do, and for every other verdict."""
    hold, of = (payload["tally"][key] for key in ("hold", "of"))
    return f"{hold} of {of} parts hold." if payload["verdict"] == rules.MIXED and hold < of else ""


def article_figure(payload: Payload) -> str | None:
    """The figure that the article itself gives, in words; None where its sentence states none."""
    said = payload["asserts"] or {"value": None, "unit": ""}
    *first, last = said["value"] if isinstance(said["value"], list) else [said["value"]]
    if not all(isinstance(value, (int, float)) for value in (*first, last)):
        return None
    return listing([*map(quantity, first), quantity(last, said["unit"])])


def equivalent_axes(payload: Payload) -> list[Mapping[str, Any]]:
    """The choices that measure the same thing and change a figure: with ``axis``, ``same`` and ``of``."""
    axes = (payload["robustness"] or {}).get("axes", [])
    return [axis for axis in axes if axis["kind"] == "equivalent" and axis["of"]]


def robustness_line(payload: Payload) -> str:
    """Share of equivalent specifications with the same verdict, and the choices that turn it."""
    found = payload["robustness"]
    if not found or not any(axis["kind"] == "equivalent" for axis in found["axes"]):
        return ""
    told = f"Same verdict in {found['same']} of {found['of']} equivalent ways to measure it. "
    told += f"What turns it: {listing(flips)}." if (flips := turning(found)) else "None of them turns it."
    if found["few"]:
        told = f"Other ways to measure it: {found['of']}, too few to tell how firm it is."
    lacking = f"For {found['absent']} more these data lack something." if found["absent"] else ""
    return " ".join(filter(None, [told if found["of"] else "", lacking]))


def base_rate_line(payload: Payload) -> str:
    """On how many other days the sentence would have been true."""
    rate = payload["base_rate"]
    if not rate:
        return ""
    return (
        f"By the same test the sentence would have been true on {rate['true']} of {rate['days']} other days "
        f"({num(100 * rate['share'], 0, '%')}; {rate['first'][:7]} to {rate['last'][:7]})."
    )


def flip_line(payload: Payload) -> str:
    """What it would have taken: the nearest deciding condition and its distance."""
    return payload["flip"][0]["sentence"] if payload["flip"] else ""


def notes(payload: Payload) -> list[str]:
    """Reservations in the order in which a reader should meet them."""
    return [*payload["capped"], *([payload["caveat"]] if payload["caveat"] else [])]


def _decides(payload: Payload) -> str:
    found, said = payload["decides"], article_figure(payload)
    if not found:
        return ""
    article = f'<span class="rr-article">{_e(said)} <small>in the article</small></span> ' if said else ""
    return (
        f'<p class="rr-decides">{article}<span><b style="font-size:1.5em">'
        f"{_e(quantity(found['value'], found['unit']))}</b> <small>{_e(found['label'])}</small></span></p>"
    )


def _line(name: str, css: str, text: str) -> str:
    return f'<p class="{css}"><b>{name}</b>: {_e(text)}</p>' if text else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], css: str) -> str:
    top = "".join(f'<th scope="col" style="text-align:left">{_e(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{_e(first)}</th>' + "".join(f"<td>{_e(cell)}</td>" for cell in rest) + "</tr>"
        for first, *rest in rows
    )
    thead = f"<thead><tr>{top}</tr></thead>" if head else ""
    return f'<table class="{css}">{thead}<tbody>{body}</tbody></table>' if body else ""


def _axes(payload: Payload) -> str:
    """How firm, as a picture made of signs: one row a choice, a full square for each way with the same verdict."""
    axes = equivalent_axes(payload)
    most = max((axis["of"] for axis in axes), default=0)
    rows = []
    for axis in axes if most > 1 else []:
        full, whole = (
            (axis[key] * 12 + most // 2) // most if most > 12 else axis[key] for key in ("same", "of")
        )
        squares = f'<span aria-hidden="true">{"■" * full}{"□" * (whole - full)}</span>'
        rows.append(f"{_e(axis['axis'])} {squares} {axis['same']} of {axis['of']}")
    return _list(rows, "rr-axes")


def _came_out(payload: Payload, part: Mapping[str, Any]) -> str:
    """How a condition came out; nothing where nobody judged."""
    if payload["verdict"] is None or part["role"] == "not-checkable":
        return ""
    return f" — {_OUTCOME[part['outcome']]}" + ("; one weak source" if part["weak"] else "")


def _rule(payload: Payload) -> str:
    parts = ((part, f"<b>{_role(part['role'])}</b>: {_e(part['text'])}") for part in payload["parts"])
    return _list((f"{text}{_came_out(payload, part)}" for part, text in parts), "rr-rule")


def source_link(address: str) -> str:
    """A source by its publisher's name on the web; one that is no address, as it stands."""
    if not address.startswith(("http://", "https://")):
        return _e(address)
    return f'<a href="{_e(address)}" rel="noreferrer">{_e(address.split("/")[2].removeprefix("www."))}</a>'


def _record(payload: Payload, every: bool) -> str:
    rows = []
    for fact in map(registry.fact, payload["facts"]):
        sources = fact.source.split(" ; ")[: None if every else 1]
        about = ", ".join([quantity(fact.date) if fact.date else "undated", f"{fact.standing} source"])
        links = listing([source_link(source) for source in sources])
        rows.append(f"{_e(fact.fact)} <small>{about}: {links}</small>")
    return f"<p>The public record:</p>{_list(rows, 'rr-record')}" if rows else ""


def _specifications(payload: Payload, every: bool) -> str:
    key, ways = payload["claim"]["decides"], payload["specifications"]
    shown = ways if every else [row for row in ways if row["verdict"] != payload["by_rule"]]
    rows = [
        [
            f"{row['axis']}: {row['value']}" + ("" if row["kind"] == "equivalent" else " (another question)"),
            quantity(row["figures"].get(key), payload["decides"]["unit"]) if payload["decides"] else "",
            LOOK[row["verdict"]][0],
        ]
        for row in shown
    ]
    same = f"{len(ways) - len(shown)} of {len(ways)}"
    told = f"<p>Measured in other ways, {same} give the same verdict.</p>" if len(shown) < len(ways) else ""
    return told + _table(["Measured another way", "Deciding figure", "Verdict"], rows, "rr-specifications")


def _revisions(payload: Payload) -> str:
    rows = (
        f"Rule revised on {_e(quantity(entry['date']))}, after the number was known: {_e(entry['what'])} "
        f"Before: {_e(LOOK[entry['was']][0].lower())}."
        for entry in payload["revised"]
    )
    return _list(rows, "rr-revised")


def as_html(payload: Payload, every: bool = False, folded: bool = True) -> str:
    """The card: claim, verdict, why, the deciding figure beside the article's, how firm; the rest folded.

    In a notebook it lists the specifications that turn the verdict, and one source a fact; with ``every``, all.
    Without ``folded`` the rest is left out.
    """
    name, sign, colour = LOOK[payload["verdict"]]
    last = payload["data"]["last_session"]
    origin = _ORIGIN[payload["data"]["source"]].format(last_session=last and quantity(last))
    firm = " ".join(filter(None, [count_line(payload), robustness_line(payload)]))
    return (
        f'<div class="rr-card rr-{payload["verdict"] or "synthetic"}" role="group" '
        f'aria-label="Verdict on {_e(payload["id"])}" '
        f'style="border-left:6px solid {colour};padding:.4em 1em;margin:1em 0">'
        f'<p class="rr-head"><b>{_e(payload["id"])}</b> '
        f'<span class="rr-badge" style="background:{colour};color:#fff;padding:.1em .6em;border-radius:1em">'
        f'{sign} {name}</span> <span class="rr-clarity">the claim is {CLARITY[payload["clarity"]]}</span></p>'
        f'<p class="rr-says">{_e(payload["claim"]["says"])}</p>'
        + (f'<p class="rr-because"><b>{_e(payload["because"])}</b></p>' if payload["because"] else "")
        + _decides(payload)
        + _line("Base rate", "rr-often", base_rate_line(payload))
        + _line("By how much", "rr-flip", flip_line(payload))
        + _line("How firm", "rr-robust", firm)
        + _axes(payload)
        + _line("Rule", "rr-seal", seal.sentence(payload["id"]))
        + (_rest(payload, every) if folded else "")
        + f'<p class="rr-origin">{_e(origin)}</p></div>'
    )


def _rest(payload: Payload, every: bool) -> str:
    """What is folded: all figures, the rule, the ways in which it was measured, the record, the revisions."""
    later = (
        [row["value"], quantity(row["figure"], row["unit"]), LOOK[row["verdict"]][0]]
        for row in payload["later"]
    )
    # A fact in words stands among the record below, as its sentence.
    figures = (
        [line["label"], quantity(line["value"], line["unit"])]
        for line in payload["measured"]
        if line["unit"] != "text"
    )
    return (
        f"<details><summary>All figures, the rule and the sources of {_e(payload['id'])}</summary>"
        + _line("Caveat", "rr-caveat", " ".join(notes(payload)))
        + _line("Control", "rr-control", (payload["robustness"] or {}).get("control") or "")
        + _table([], figures, "rr-figures")
        + _table(["Later", "Deciding figure", "By the rule"], later, "rr-later")
        + _rule(payload)
        + _specifications(payload, every)
        + _record(payload, every)
        + _revisions(payload)
        + "</details>"
    )


def as_text(payload: Payload) -> str:
    """The card as plain text, with the figures that a test compares."""
    lines = [f"{payload['id']} {signed(payload['verdict'])} (the claim is {CLARITY[payload['clarity']]})"]
    lines += [payload["claim"]["says"], payload["because"]]
    lines += [base_rate_line(payload), flip_line(payload), count_line(payload), robustness_line(payload)]
    lines += notes(payload)
    return "\n  ".join(filter(None, lines))


def claim_review(payload: Payload) -> dict[str, Any]:
    """The verdict as schema.org's ClaimReview."""
    article = registry.article()
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": LOOK[payload["verdict"]][0]}
    if payload["verdict"] in RATING:
        rating |= {"ratingValue": RATING[payload["verdict"]], "bestRating": 5, "worstRating": 1}
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "identifier": payload["id"],
        "url": f"{payload['id']}.html",
        "claimReviewed": payload["claim"]["says"],
        "reviewBody": payload["because"],
        "reviewRating": rating,
        "itemReviewed": {
            "@type": "Claim",
            "author": {"@type": "Organization", "name": article["publisher"]},
            "datePublished": article["date"],
            "appearance": {"@type": "NewsArticle", "url": article["address"]},
        },
        "author": {"@type": "Organization", "name": registry.head()["collection"]["title"]},
    }


def bundle(payload: Payload) -> dict[str, Any]:
    """Every form of a verdict, by MIME type. Made-up data give no machine verdict."""
    shown: dict[str, Any] = {"text/html": as_html(payload), "text/plain": as_text(payload)}
    if payload["verdict"] is not None:
        shown[MIME] = _saved(payload)
    return shown


def _usual(payload: Payload) -> dict[str, Any]:
    """What most specifications say, in the order of their keys: not saved where they do."""
    return {"axis": "", "value": "", "kind": "equivalent", "figures": {}, "verdict": payload["by_rule"]}


def _saved(payload: Payload) -> dict[str, Any]:
    """A payload without what the registry holds, and without what most of its rows have in common."""
    named = {str(entry): key for key, entry in _named(payload).items()}
    return {key: value for key, value in payload.items() if key not in {"rule", "article", "revised"}} | {
        "specifications": [
            {key: value for key, value in way.items() if _usual(payload)[key] != value}
            for way in payload["specifications"]
        ],
        "parts": [{key: value for key, value in part.items() if key != "text"} for part in payload["parts"]],
        "measured": [named.get(str(entry), entry) for entry in payload["measured"]],
    }


def whole(saved: Payload) -> dict[str, Any]:
    """A payload as it was before it was saved, with the registry's words; saved or not, it gives the same."""
    claim, named = registry.claim(saved["id"]), _named(saved)
    return {
        "rule": claim.rule_text(),
        "article": article_figure(saved),
        "revised": list(claim.revised),
        **saved,
        "specifications": [{**_usual(saved), **way} for way in saved["specifications"]],
        "parts": [
            {"role": role, "text": text, **part}
            for (role, text), part in zip(claim.rule_lines(), saved["parts"], strict=True)
        ],
        "measured": [named[entry] if isinstance(entry, str) else entry for entry in saved["measured"]],
    }


def _named(payload: Payload) -> dict[str, dict[str, Any]]:
    """The figures of the rule as lines of ``measured``."""
    claim = registry.load().get(payload["id"])
    return {key: claim.line(key, value) for key, value in payload["figures"].items()} if claim else {}


@dataclass(frozen=True)
class Cards:
    """Several claims, shown together: which, as HTML and as text; and for the report, as what."""

    kind: str
    claims: tuple[str, ...]
    html: str
    text: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        which = {"show": self.kind, "claims": list(self.claims)}
        return {"text/html": self.html, "text/plain": self.text, CLAIMS_MIME: which}

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def tiles(payloads: Iterable[Payload]) -> Cards:
    """A board of verdicts: one tile a claim by part of the article, with sign, id and reason."""
    given, parts = tuple(payloads), dict[str, list[str]]()
    for payload in given:
        _, sign, colour = LOOK[payload["verdict"]]
        parts.setdefault(str(payload["claim"]["place"]).rsplit(", ", 1)[0], []).append(
            f'<li style="display:inline-block;margin:2px;padding:.15em .4em;border-radius:.3em;color:#fff;'
            f'background:{colour}" title="{_e(payload["because"])}">{sign} {payload["id"]}</li>'
        )
    rows = "".join(
        f'<dt>{_e(part)} ({len(own)})</dt><dd><ul style="padding:0;margin:0">{"".join(own)}</ul></dd>'
        for part, own in parts.items()
    )
    counts = {key: sum(payload["verdict"] == key for payload in given) for key in rules.SCALE}
    key = " · ".join(f"{LOOK[name][1]} {LOOK[name][0]} {n}" for name, n in counts.items() if n)
    page = f'<div class="rr-tiles"><p>{_e(key)}</p><dl>{rows}</dl></div>'
    text = " ".join(f"{payload['id']}{LOOK[payload['verdict']][1]}" for payload in given)
    return Cards("tiles", tuple(payload["id"] for payload in given), page, text)


def cards(*claim_ids: str, notebook: str = "") -> Cards:
    """What the article says: some claims by id, or all that a notebook judges, with their rules, before any number."""
    chosen = registry.in_notebook(notebook) if notebook else [*map(registry.claim, claim_ids)]
    page = f'<div class="rr-claims">{"".join(map(_claim, chosen))}</div>'
    text = "\n".join(f"{claim.id} {claim.says}" for claim in chosen)
    return Cards("cards", tuple(claim.id for claim in chosen), page, text)


def _claim(claim: registry.Claim) -> str:
    rule = "".join(f"<li><b>{_role(role)}</b>: {_e(text)}</li>" for role, text in claim.rule_lines())
    loose = "".join(f"<li>“{_e(word)}”: {_e(sense)}</li>" for word, sense in claim.loose.items())
    return (
        f'<div class="rr-claim" style="border-left:3px solid #888;padding:.2em 1em;margin:.6em 0">'
        f'<p class="rr-says"><b>{claim.id}</b> {_e(claim.says)} '
        f'<span class="rr-clarity">({_e(claim.place)}; {claim.kind}; the claim is '
        f"{CLARITY[claim.clarity]})</span></p>"
        f"<details><summary>How {claim.id} is judged</summary><ul>{rule}</ul>"
        + (f"<p>Words taken to mean:</p><ul>{loose}</ul>" if loose else "")
        + (f"<p>{_e(claim.reason)}</p>" if claim.reason else "")
        + "</details></div>"
    )
