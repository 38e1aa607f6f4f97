"""What vl-convert draws without a browser, and the scripts of Vega that it carries."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import vl_convert

if TYPE_CHECKING:
    from .figures.figure import Figure

Format = Literal["svg", "pdf", "png"]
# The release of Vega-Lite that the specifications are for.
VERSION = "6.4"


def svg(figure: Figure, page: bool = False) -> str:
    """The figure as SVG; for a page its colours are CSS variables."""
    from .theme import for_page

    spec = figure.spec(still=True)
    drawn: str = vl_convert.vegalite_to_svg(
        for_page(spec) if page else spec, vl_version=VERSION, allowed_base_urls=[]
    )
    return drawn


def file(figure: Figure, form: Format) -> bytes:
    """The figure as the bytes of a file."""
    spec = {**figure.spec(still=True), "background": "white"} if form == "png" else figure.spec(still=True)
    if form == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(spec, vl_version=VERSION, allowed_base_urls=[]))
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(spec, vl_version=VERSION, scale=2, allowed_base_urls=[]))
    return svg(figure).encode()


@cache
def script() -> str:
    """Vega, Vega-Lite and the interpreter of expressions as one script; sets `vegaEmbed` and asks for nothing."""
    text: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VERSION)
    return text.replace("</script", "<\\/script")
