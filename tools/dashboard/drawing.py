"""The panels as one SVG: two columns, the phases behind them."""

import math
from html import escape

COLUMNS, WIDTH, HEIGHT = 2, 460, 214
LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT = 58, 62, 384, 116  # of the plot in its panel
HEAD = 30
COLOURS = ("#2f6db5", "#d98b1f", "#0b7a5b", "#c0392b", "#7d4fa3", "#4a5568", "#16a2b0", "#a3426b", "#7a8b1f")
OF_WORDS = {"allowed": "#0b7a5b", "denied": "#c0392b", "answered": "#8a94a6"}
SHADES = {"outage": "#f6e3e1", "attack": "#fbeed5"}
UNITS = {"reqps": "/s", "s": " s", "ms": " ms", "µs": " µs", "percentunit": " %", "short": ""}
LETTER = 5.9  # the width of one, more or less


def draw(drawn, phases, seconds):
    """The SVG's text. `drawn`: panels of the dashboard, each with its series."""
    rows = math.ceil(len(drawn) / COLUMNS)
    width, height = COLUMNS * WIDTH, HEAD + rows * HEIGHT
    body = []
    for index, (panel, series) in enumerate(drawn):
        x, y = index % COLUMNS * WIDTH, HEAD + index // COLUMNS * HEIGHT
        body += [f'<g transform="translate({x} {y})">', *_Plot(panel, series, seconds).lines(phases), "</g>"]
    title = "jwt-warden: a start, a rotation, an outage of the issuer and an attack, in two minutes"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="system-ui, sans-serif">',
            f"<title>{title}</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            _text(16, 20, title, size=14, weight=600),
            *body,
            "</svg>",
            "",
        ]
    )


class _Plot:
    def __init__(self, panel, series, seconds):
        defaults = panel["fieldConfig"]["defaults"]
        self._title, self._seconds = panel["title"], seconds
        self._is_stacked = defaults["custom"]["stacking"]["mode"] == "normal"
        self._is_stepped = defaults["custom"]["lineInterpolation"] == "stepAfter"
        self._unit = UNITS[defaults["unit"]]
        scale = 100 if defaults["unit"] == "percentunit" else 1
        known = [(name, [(t, v * scale) for t, v in points if math.isfinite(v)]) for name, points in series]
        self._series = sorted(((name, points) for name, points in known if points), key=lambda one: -_total(one[1]))
        self._areas = list(_stacked(self._series)) if self._is_stacked else []
        highest = max((value for _, points in self._areas or self._series for _, value, *_ in points), default=0)
        self._step = _step(highest)
        self._top = max(1, math.ceil(highest / self._step - 1e-9)) * self._step

    def lines(self, phases):
        """Everything in the panel, from back to front."""
        yield _text(16, 20, self._title, size=12, weight=600)
        yield from self._legend()
        yield from self._phases(phases)
        yield from self._grid()
        yield from (self._area(name, points) for name, points in self._areas)
        if not self._is_stacked:
            yield from (self._line(name, points) for name, points in self._series)

    def _legend(self):
        x, y = 16, 36
        for name, _ in self._series:
            if x > 16 and x + 14 + LETTER * len(name) > WIDTH - 14:
                x, y = 16, y + 14
            yield f'<rect x="{x:.1f}" y="{y - 7}" width="9" height="9" fill="{self._colour(name)}"/>'
            yield _text(x + 13, y + 1.5, name, size=10.5)
            x += 30 + LETTER * len(name)

    def _phases(self, phases):
        for name, first, last in phases:
            left, right = self._x(first), self._x(last)
            if name in SHADES:
                size = f'width="{right - left:.1f}" height="{PLOT_HEIGHT}"'
                yield f'<rect x="{left:.1f}" y="{TOP}" {size} fill="{SHADES[name]}"/>'
            yield f'<path d="M{left:.1f} {TOP}v{PLOT_HEIGHT}" stroke="#9aa3b2" stroke-dasharray="2 2"/>'
            yield _text(left + 3, TOP + PLOT_HEIGHT + 27, name, size=10, colour="#6b7587")

    def _grid(self):
        for number in range(round(self._top / self._step) + 1):
            y = self._y(number * self._step)
            yield f'<path d="M{LEFT} {y:.1f}h{PLOT_WIDTH}" stroke="#dfe3ea"/>'
            yield _text(LEFT - 6, y + 3.5, f"{number * self._step:g}{self._unit}", size=10, anchor="end")
        for second in range(0, self._seconds + 1, 30):
            yield _text(self._x(second), TOP + PLOT_HEIGHT + 14, f"{second} s", size=10, anchor="middle")

    def _area(self, name, points):
        upper = [(self._x(t), self._y(top)) for t, top, _ in points]
        lower = [(self._x(t), self._y(bottom)) for t, _, bottom in reversed(points)]
        return f'<polygon points="{_joined(upper + lower)}" fill="{self._colour(name)}" fill-opacity="0.75"/>'

    def _line(self, name, points):
        parts, before = [], None
        for t, value in points:
            x, y = self._x(t), self._y(value)
            # Where Prometheus has nothing, the line is broken.
            follows = before is not None and t - before <= 1.5
            parts.append(
                (f"H{x:.1f}V{y:.1f}" if self._is_stepped else f"L{x:.1f} {y:.1f}") if follows else f"M{x:.1f} {y:.1f}"
            )
            before = t
        style = f'fill="none" stroke="{self._colour(name)}" stroke-width="1.5" stroke-linejoin="round"'
        return f'<path d="{"".join(parts)}" {style}/>'

    def _colour(self, name):
        names = [other for other, _ in self._series]
        return OF_WORDS.get(name) or COLOURS[names.index(name) % len(COLOURS)]

    def _x(self, second):
        return LEFT + second / self._seconds * PLOT_WIDTH

    def _y(self, value):
        return TOP + PLOT_HEIGHT * (1 - min(max(value / self._top, 0), 1))


def _stacked(series):
    """Each series on top of those before it: times, upper and lower edge."""
    times = sorted({t for _, points in series for t, _ in points})
    below = dict.fromkeys(times, 0)
    for name, points in series:
        values = dict(points)
        edges = [(t, below[t] + values.get(t, 0), below[t]) for t in times]
        below = {t: upper for t, upper, _ in edges}
        yield name, edges


def _total(points):
    return sum(value for _, value in points)


def _step(highest):
    """A round distance of three or four lines."""
    if highest <= 0:
        return 1
    power = 10 ** math.floor(math.log10(highest / 3))
    return next(step * power for step in (1, 2, 5, 10) if step * power * 4 >= highest)


def _joined(points):
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _text(x, y, text, size=12, anchor="start", weight=400, colour="#1c2430"):
    style = f'font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
