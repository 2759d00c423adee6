"""The chart: what jwt-warden adds to a request beside what the native filter adds, as long as 1 in every group."""

from html import escape
from statistics import median

from . import cases

WIDTH, LABEL, BAR, GAP, TOP = 760, 170, 15, 14, 92
NATIVE, LONGEST = 240, 460  # the native filter's bar, and the longest that there is room for
COLOURS = {"native": "#8a94a6", "native, cache on": "#c3c9d4", "jwt-warden": "#0b7a5b"}


def draw(run):
    """The SVG's text."""
    body, y = [], TOP
    for title, bars in _groups(run["results"]):
        body.append(_text(LABEL - 12, y + len(bars) * BAR / 2 + 4, title, anchor="end"))
        native = bars[0][1]
        for colour, value in bars:
            body += _bar(y, colour, value, value / native * NATIVE)
            y += BAR
        y += GAP
    return "\n".join([_head(y), *_legend(), *body, "</svg>", ""])


def _bar(y, colour, value, length):
    width = min(max(length, 1), LONGEST)
    figure = f"{value:.1f} us" + (" (cut off)" if width < length else "")
    yield f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{colour}"/>'
    yield _text(LABEL + width + 6, y + 11, figure, size=11)


def _groups(results):
    """Titles, and the bars of each: colours and microseconds."""

    def bars(case, *proxies):
        kinds = [(proxy.removesuffix(", cache off"), proxy) for proxy in proxies]
        return [(COLOURS[kind], median(results[case, proxy].added)) for kind, proxy in kinds]

    listed = [
        (f"{algorithm}, new tokens", bars(cases.new_tokens(algorithm), "native", "jwt-warden, cache off"))
        for algorithm in cases.ALGORITHMS
    ]
    hot = bars(cases.HOT_TOKENS, "native", "native, cache on", "jwt-warden")
    return [*listed, (cases.HOT_TOKENS, hot)]


def _head(height):
    title = "CPU time that the filter adds to a request"
    subtitle = "Per group, jwt_authn's bar has always the same length: what counts is the ratio. Less is better."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="system-ui, sans-serif">\n<title>{title}</title>\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + _text(16, 28, title, size=16, weight=600)
        + _text(16, 48, subtitle)
    )


def _legend():
    names = {"native": "jwt_authn", "native, cache on": "jwt_authn, cache on", "jwt-warden": "jwt-warden"}
    x = LABEL
    for kind, name in names.items():
        yield f'<rect x="{x}" y="62" width="12" height="12" fill="{COLOURS[kind]}"/>'
        yield _text(x + 18, 72, name)
        x += 40 + 7 * len(name)


def _text(x, y, text, size=12, anchor="start", weight=400):
    style = f'font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="#1c2430"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
