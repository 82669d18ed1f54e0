"""Shapes of a picture, as SVG."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

COLORS = {
    "green": "#56a64b",
    "light-green": "#96c48b",
    "yellow": "#e0b400",
    "orange": "#ff780a",
    "red": "#e02f44",
    "blue": "#3274d9",
    "text": "#8e8e8e",
}
"""The colours that panels name."""

SERIES = (
    *("#5f9ea0", "#c9a227", "#8f6bb3", "#4f8f6f", "#b5657a"),
    *("#6f86c4", "#a57c52", "#7aa33f", "#9a9a9a", "#b98bd0"),
)
"""Those of series that have no colour of their own, one after the other."""

BACKGROUND, PANEL, INK, FAINT, GRID = "#111217", "#181b1f", "#d8d9da", "#8e9196", "#2c3235"


def rect(x: float, y: float, width: float, height: float, fill: str, opacity: float = 1, title: str = "") -> str:
    """A filled rectangle, which tells its title to whoever points at it."""
    shape = f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" fill="{fill}"'
    shape += f' fill-opacity="{opacity:.2g}"' if opacity < 1 else ""
    return f"{shape}><title>{escape(title)}</title></rect>" if title else f"{shape}/>"


def text(
    x: float, y: float, said: str, size: int = 11, fill: str = INK, anchor: str = "start", bold: bool = False
) -> str:
    """A line of text. y: where its letters stand."""
    weight = ' font-weight="600"' if bold else ""
    where = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"{weight}'
    return f"<text {where}>{escape(said)}</text>"


def line(points: Iterable[tuple[float, float]], stroke: str, dashed: bool = False) -> str:
    """A line through points."""
    dash = ' stroke-dasharray="6 5"' if dashed else ""
    return f'<polyline points="{_joined(points)}" fill="none" stroke="{stroke}" stroke-width="1.3"{dash}/>'


def area(points: Iterable[tuple[float, float]], fill: str, opacity: float) -> str:
    """What points enclose."""
    return f'<polygon points="{_joined(points)}" fill="{fill}" fill-opacity="{opacity:g}"/>'


def fitted(said: str, width: float, size: int = 11) -> str:
    """As much of a text as goes into a width, by what letters take on average."""
    fits = int(width / (size * 0.56))
    return said if len(said) <= fits else said[: max(fits - 1, 1)] + "…"


def picture(width: float, height: float, title: str, shapes: Iterable[str]) -> str:
    """The whole, with a title for who cannot see it."""
    font = 'font-family="Inter, Helvetica, Arial, sans-serif"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" {font} role="img">'
    ground = rect(0, 0, width, height, BACKGROUND)
    return "\n".join([head, f"<title>{escape(title)}</title>", ground, *shapes, "</svg>\n"])


def _joined(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
