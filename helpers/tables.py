"""Frames as tables: HTML that survives a plain export, text, and numbers for machines."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers.files import HelperError
from helpers.words import MINUS, date, made_up

#: Rows a table may have: the decisive points, never a vendor's whole series.
MOST_ROWS = 60
MIME = "application/vnd.claims.table+json"
SYNTHETIC = "SYNTHETIC DATA"

Digits = int | Mapping[str, int]


def cell(value: Any, digits: int) -> str:
    """One value as a table shows it: empty if missing, a true minus sign, a date in words."""
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return f"{value:,.{digits}f}".replace("-", MINUS)
    if isinstance(value, pd.Timestamp):
        return date(value)
    return str(value).replace("-", MINUS) if isinstance(value, int) else str(value)


def payload(frame: pd.DataFrame, digits: Digits = 2) -> dict[str, Any]:
    """The table as plain data: columns with their kind (text or number), rows of values rounded as shown.

    A named or meant index is the first column; a bare row number is left out.
    """
    full = frame if isinstance(frame.index, pd.RangeIndex) and not frame.index.name else frame.reset_index()
    if full is not frame and frame.index.name is None:
        full = full.rename(columns={full.columns[0]: ""})
    kinds = ["number" if _numeric(full.iloc[:, i]) else "text" for i in range(full.shape[1])]
    columns: list[dict[str, Any]] = [
        {"name": name, "kind": kind, "digits": digits if isinstance(digits, int) else digits.get(name, 2)}
        for name, kind in zip(map(str, full.columns), kinds, strict=True)
    ]
    rows = [
        [_plain(value, column["digits"]) for value, column in zip(row, columns, strict=True)]
        for row in full.itertuples(index=False, name=None)
    ]
    return {"columns": columns, "rows": rows, "headed": full is not frame}


def _numeric(column: pd.Series) -> bool:
    known = [value for value in column if value is not None and value is not pd.NaT and value == value]
    return bool(known) and all(hasattr(v, "__float__") and not isinstance(v, bool) for v in known)


def _plain(value: Any, digits: int) -> Any:
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)):
        return None
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float):
        return round(float(plain), digits)
    return date(plain) if isinstance(plain, pd.Timestamp) else plain if isinstance(plain, int) else str(plain)


def as_html(table: Mapping[str, Any], caption: str = "") -> str:
    """The HTML of a :func:`payload`: text to the left, numbers to the right, also without a style sheet."""
    side = {"text": "left", "number": "right"}
    styles = [f' style="text-align:{side[column["kind"]]}"' for column in table["columns"]]
    # A column without a name gets a cell that heads nothing.
    head = "".join(
        f'<th scope="col"{style}>{html.escape(column["name"])}</th>' if column["name"] else "<td></td>"
        for column, style in zip(table["columns"], styles, strict=True)
    )
    body = []
    # Numbers stand to the right in every notebook's own look; only text has to be told.
    kinds = [style if "left" in style else "" for style in styles]
    for row in table["rows"]:
        texts = [html.escape(text) for text in _texts(table, row)]
        cells = [f"<td{kind}>{text}</td>" for kind, text in zip(kinds, texts, strict=True)]
        if table["headed"]:
            cells[0] = f'<th scope="row"{styles[0]}>{texts[0]}</th>'
        body.append(f"<tr>{''.join(cells)}</tr>")
    title = f'<caption style="text-align:left">{html.escape(caption)}</caption>' if caption else ""
    return (
        f'<table class="rr-table">{title}<thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    )


def _texts(table: Mapping[str, Any], row: list[Any]) -> list[str]:
    return [cell(value, column["digits"]) for value, column in zip(row, table["columns"], strict=True)]


def as_text(table: Mapping[str, Any]) -> str:
    """The table as plain text, with the same cells as the HTML."""
    head = [column["name"] for column in table["columns"]]
    return "\n".join(" | ".join(row) for row in [head, *(_texts(table, row) for row in table["rows"])])


def check(frame: pd.DataFrame) -> None:
    """HelperError for a table without rows, or as long as a whole series."""
    if not 0 < len(frame) <= MOST_ROWS:
        raise HelperError(f"A table has 1 to {MOST_ROWS} rows, not {len(frame)}; pick the decisive ones.")


def table(frame: pd.DataFrame | pd.Series, caption: str, digits: Digits = 2, data: Any = None) -> None:
    """Show a frame as a table.

    Parameters
    ----------
    frame : at most 60 rows; its index is the row heading
    caption : what the table shows
    digits : decimals, for all columns or by column
    data : the market; without it, the one that the notebook opened. Made-up data are marked.
    """
    from IPython.display import display

    shown = frame.to_frame() if isinstance(frame, pd.Series) else frame
    check(shown)
    synthetic = made_up(data) or made_up(shown)
    caption = f"{SYNTHETIC}: {caption}" if synthetic else caption
    numbers = payload(shown, digits)
    display(
        {
            "text/html": as_html(numbers, caption),
            "text/plain": f"{caption}\n{as_text(numbers)}",
            MIME: {"caption": caption, "synthetic": synthetic, **numbers},
        },
        raw=True,
    )
