"""How the page looks: its style and its two palettes.

The palette is Okabe and Ito's, which people who see colours differently can tell apart, lightened for the dark scheme; what is bought and
sold is told apart by shape as well. Nothing here refers to anything outside the page.
"""

LIGHT = {
    "page": "#f6f6f4", "panel": "#ffffff", "ink": "#1b1d21", "muted": "#666c75", "line": "#e3e4e6", "touch": "#8d939c",
    "buy": "#0072b2", "sell": "#d55e00", "spread": "#009e73", "inventory": "#b8659a", "fees": "#d08c00", "funding": "#3f8fd0",
    "good": "#00795a", "bad": "#b8430a",
    "run1": "#0072b2", "run2": "#d55e00", "run3": "#009e73", "run4": "#b8659a", "run5": "#d08c00", "run6": "#555b63",
}  # fmt: skip
DARK = {
    "page": "#111316", "panel": "#1a1d22", "ink": "#eceef0", "muted": "#9ba3ad", "line": "#2d323a", "touch": "#8b94a0",
    "buy": "#5cb8f0", "sell": "#f58a4b", "spread": "#2fc79b", "inventory": "#e09cc5", "fees": "#f0b93f", "funding": "#86a8ff",
    "good": "#3fd0a4", "bad": "#ff9a63",
    "run1": "#5cb8f0", "run2": "#f58a4b", "run3": "#2fc79b", "run4": "#e09cc5", "run5": "#f0b93f", "run6": "#b6bdc6",
}  # fmt: skip
FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif'


def _palette(colours):
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


STYLE = (
    ":root { color-scheme: light dark; "
    + _palette(LIGHT)
    + " }\n@media (prefers-color-scheme: dark) { :root { "
    + _palette(DARK)
    + " } }\n"
    + """
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 """
    + FONTS
    + """; font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; }
main { max-width: 1200px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 30px; line-height: 1.15; margin: 0; letter-spacing: -0.02em; font-weight: 680; }
h2 { font-size: 17px; margin: 0; font-weight: 650; letter-spacing: -0.005em; }
h3 { font-size: 12px; text-transform: uppercase; letter-spacing: 0.07em; color: var(--muted); font-weight: 600; margin: 0; }
p { margin: 0; }
a { color: inherit; }
.muted { color: var(--muted); }
.good { color: var(--good); } .bad { color: var(--bad); }
header { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: baseline; margin-bottom: 6px; }
.badge { font-size: 12px; font-weight: 600; padding: 3px 10px; border-radius: 99px; border: 1px solid var(--line); color: var(--muted);
         background: var(--panel); white-space: nowrap; }
.badge.alert { color: var(--bad); border-color: currentColor; }
.when { color: var(--muted); margin-bottom: 22px; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px; margin-top: 16px; min-width: 0; }
.sum { display: grid; grid-template-columns: 1.5fr repeat(4, 1fr); gap: 0; padding: 0; overflow: hidden; }
.sum .mid { font-size: clamp(15px, 1.4vw, 17.5px); margin: 3px 0 1px; }
.sum > div { padding: 20px 12px 20px 20px; position: relative; min-width: 0; }
.sum > div + div { border-left: 1px solid var(--line); }
.sum .sign { position: absolute; left: -11px; top: 50%; margin-top: -11px; width: 22px; height: 22px; border-radius: 50%;
             background: var(--panel); border: 1px solid var(--line); color: var(--muted); text-align: center; font-size: 14px;
             line-height: 19px; }
.label { font-size: 13px; color: var(--muted); }
.label i { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-right: 6px; }
.big { font-size: clamp(22px, 2.4vw, 29px); font-weight: 680; letter-spacing: -0.02em; line-height: 1.2; white-space: nowrap; }
.mid { font-size: clamp(16px, 1.65vw, 20px); font-weight: 620; letter-spacing: -0.01em; line-height: 1.35; white-space: nowrap; }
.unit { font-size: 0.58em; font-weight: 550; color: var(--muted); letter-spacing: 0; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; background: var(--line); padding: 0; overflow: hidden; }
.tiles > div { background: var(--panel); padding: 14px 18px 15px; }
.tiles .mid { margin-top: 1px; }
.small { font-size: 12.5px; color: var(--muted); line-height: 1.4; }
.chart { width: 100%; margin-top: 8px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
.nothing { margin-top: 12px; padding: 26px; text-align: center; color: var(--muted); border: 1px dashed var(--line); border-radius: 8px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
tr:last-child > * { border-bottom: 0; }
tbody th { font-weight: 450; white-space: nowrap; }
td { white-space: nowrap; } td.wrap, td.meaning { white-space: normal; }
td.meaning { color: var(--muted); font-size: 13px; min-width: 220px; width: 55%; }
tr.group th { padding-top: 18px; font-size: 12px; text-transform: uppercase; letter-spacing: 0.07em; color: var(--muted);
              font-weight: 600; }
thead th { font-weight: 650; white-space: nowrap; }
code { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
ul { margin: 10px 0 0; padding-left: 20px; } li { margin: 4px 0; max-width: 78em; }
details > summary { cursor: pointer; font-weight: 650; font-size: 17px; list-style-position: outside; }
details > summary .muted { font-weight: 450; font-size: 14px; }
details[open] > summary { margin-bottom: 12px; }
.run { margin-top: 40px; }
.run > summary { font-size: 20px; }
footer { margin-top: 28px; color: var(--muted); font-size: 13px; }
.apart { margin-top: 14px; }
@media (max-width: 900px) {
  .tiles, .sum { grid-template-columns: 1fr 1fr; } .pair { grid-template-columns: minmax(0, 1fr); } .sum .sign { display: none; }
  .sum > div:first-child { grid-column: 1 / -1; border-bottom: 1px solid var(--line); }
  .sum > div:nth-child(2), .sum > div:nth-child(4) { border-left: 0; } .sum > div:nth-child(n+4) { border-top: 1px solid var(--line); }
}
@media (max-width: 700px) {
  table.one tr { display: grid; grid-template-columns: 1fr auto; padding: 7px 0; border-bottom: 1px solid var(--line); }
  table.one tr > * { border: 0; padding: 0; } table.one td { text-align: right; white-space: normal; max-width: 62vw; }
  table.one td.meaning { grid-column: 1 / -1; width: auto; text-align: left; max-width: none; }
  table.one tr.group { border: 0; padding-top: 14px; }
}
@media (max-width: 560px) {
  main { padding: 20px 12px 48px; } .panel { padding: 16px 14px; border-radius: 10px; } .sum, .tiles { padding: 0; }
  .sum > div { padding: 14px; } .tiles > div { padding: 12px 14px; }
}
@media print { body { background: #fff; } .panel { break-inside: avoid; } }
"""
)
