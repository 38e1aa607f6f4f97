"""Escape what logs, servers, plugins and bundles say, for each format that shows it: one function a format."""

from __future__ import annotations

import html as _html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

# Signs that move a cursor, ring, colour, change a title, or turn or hide what stands beside them: control
# characters of C0 and C1 but for tab and line end, marks of direction, invisible signs and tags. A carriage return
# overwrites. The noncharacters mark colours of our own, see `colours`.
_STEERS = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufdd0-\ufdef\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_STEERING = re.compile(f"[{_STEERS}]|\r(?!\n)")
# Half a surrogate pair cannot be encoded.
_NO_JSON = re.compile(f"[{_STEERS}\ud800-\udfff]")
_MARKDOWN = re.compile(r"[`*_{}\[\]~$]|[<>&@#\\|]|://|\bwww\.", re.IGNORECASE)
# A list, or the rule under a heading.
_BEGINS = re.compile(r"^(\d{0,9})([-+.)](?=\s|$)|[-=]+$)")
_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip
_LATEX_SIGNS = re.compile("[" + re.escape("".join(_LATEX)) + "]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Form = Literal["terminal", "html", "markdown", "latex", "csv", "mermaid", "dot"]


def escaped(text: str, form: Form) -> str:
    """A text of someone else as a format shows it, sign by sign.

    Args:
        form: `terminal`: signs that steer one become `�`. `html`: text between tags or in a quoted attribute.
            `markdown`: text in a line or a cell. `latex`: the same. `csv`: a text that no spreadsheet takes for a
            formula; who writes the file quotes it. `mermaid`, `dot`: text between double quotes. In all but
            `terminal` and `csv` a text becomes one line.

    Examples:
        >>> escaped("a|b *", "markdown")
        'a&#124;b \\\\*'
        >>> escaped("=1+1", "csv")
        "'=1+1"
    """
    return _FORMS[form](text)


def printable(text: str) -> str:
    """The same text, with `�` in place of each sign that steers a terminal."""
    return _STEERING.sub("�", text)


def json_text(value: Any, indent: int | None = None, ascii_only: bool = False) -> str:
    """JSON of a value, with signs that steer a terminal as JSON's escapes.

    Args:
        value: of JSON's own types.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, indent=indent)
    return _NO_JSON.sub(_as_json, text)


def _as_json(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _line(text: str) -> str:
    return printable(" ".join(text.split()))


def _as_html(text: str) -> str:
    return _html.escape(_line(text))


def _as_markdown(text: str) -> str:
    text = _MARKDOWN.sub(_mark, _line(text))
    return _BEGINS.sub(r"\1\\\2", text)


def _mark(found: re.Match[str]) -> str:
    """Neither a mark of Markdown, nor HTML, nor a link, a person or an issue of GitHub's."""
    sign = found[0]
    if len(sign) > 1:
        return "&#58;//" if sign == "://" else f"{sign[:-1]}&#46;"
    return f"&#{ord(sign)};" if sign in "<>&@#\\|" else f"\\{sign}"


def _as_latex(text: str) -> str:
    return _LATEX_SIGNS.sub(lambda found: _LATEX[found[0]], _line(text))


def _as_mermaid(text: str) -> str:
    return re.sub(r'["#<>&;`\\\[\]{}|]', lambda found: f"#{ord(found[0])};", _line(text))


def _as_dot(text: str) -> str:
    return _line(text).replace("\\", "\\\\").replace('"', '\\"')


def _as_csv(text: str) -> str:
    text = printable(text)
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and not text[0].isspace()


_FORMS: Mapping[str, Callable[[str], str]] = {
    "terminal": printable,
    "html": _as_html,
    "markdown": _as_markdown,
    "latex": _as_latex,
    "csv": _as_csv,
    "mermaid": _as_mermaid,
    "dot": _as_dot,
}
