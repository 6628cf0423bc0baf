"""How a page looks: on a wide screen and on a phone, in light and in dark, and on paper.

Colours repeat what letters and words say already; every one has a contrast of at least 4.5 with its background.
"""

from __future__ import annotations

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1a1d21",
    "faint": "#555c66",
    "line": "#cfd4da",
    "shade": "#f3f5f7",
    "alarm": "#8a4b00",
    "gradient": "#9a1a86",
    "parameter": "#176b2c",
    "given": "#1d4fc4",
    "between": "#0b6074",
    "cost": "#b02318",
}
DARK = {
    "paper": "#14171a",
    "ink": "#e6e8ea",
    "faint": "#a4adb8",
    "line": "#3c434b",
    "shade": "#1f2429",
    "alarm": "#f2b45c",
    "gradient": "#f0a3e6",
    "parameter": "#84d892",
    "given": "#9dbbff",
    "between": "#7bd3e6",
    "cost": "#ff9d92",
}
TEXTS = frozenset(LIGHT) - {"paper", "line", "shade"}
ROLES = {
    "gradient": "gradient",
    "parameter": "parameter",
    "input": "given",
    "target": "given",
    "constant": "given",
    "weighted_sum": "between",
    "activation": "between",
    "intermediate": "between",
    "helper": "between",
    "loss": "cost",
    "cost": "cost",
}

LAYOUT = """
* { box-sizing: border-box; }
html { color-scheme: light dark; background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 54rem; font: 1rem/1.55 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; margin: 0; display: inline; }
summary h2 { margin-inline-start: .25em; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { margin: .6rem 0; max-width: 46rem; overflow-wrap: anywhere; }
nav { border-block: 1px solid var(--line); padding: .7rem 0; margin: 1.2rem 0; font-size: .95rem; }
nav h2 { font-size: inherit; }
nav ul { list-style: none; margin: .2rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1.4rem; }
nav a { color: var(--given); display: inline-block; padding: .15rem 0; }
details { margin: 1.6rem 0 0; }
summary { padding: .4rem .7rem; background: var(--shade); border-radius: .35rem; cursor: pointer; }
.leaf + .leaf { border-top: 3px solid var(--line); margin-top: 3rem; padding-top: 1.5rem; }
.note { color: var(--faint); border-inline-start: 3px solid var(--line); padding-inline-start: .7rem; }
.warning { color: inherit; border-color: var(--alarm); }
.warning > strong { color: var(--alarm); }

math, .equals { font-size: 1.08em;
  font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", "Libertinus Math", math; }
math .exponent { color: var(--ink); }
math .bold { font-weight: bold; }
.cases > mtr > mtd { text-align: start; }
.struck { background: linear-gradient(currentColor, currentColor) no-repeat center / 100% 1.5px; opacity: .8;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.formulas { display: grid; grid-template-columns: fit-content(42%) minmax(0, 1fr); align-items: baseline;
  gap: .55rem .5em; margin: .8rem 0 .8rem 1rem; }
.line { display: contents; }
.chain:not(:first-child) > * { margin-block-start: .7rem; }
.left { overflow-x: auto; overflow-y: hidden; }
.sides { display: flex; flex-wrap: wrap; gap: .55rem .5em; align-items: baseline; min-width: 0; }
.side { display: flex; gap: 0 .5em; align-items: baseline; max-width: 100%; min-width: 0; }
.told { flex: 1 0 100%; flex-wrap: wrap; }
.equation { display: flex; gap: .5em; align-items: baseline; max-width: 100%; min-width: 0; }
.value { min-width: 0; overflow-x: auto; overflow-y: hidden; padding-block: .1em; }
.value > math { display: flex; flex-wrap: wrap; align-items: baseline; row-gap: .4em; }
.value .term { display: flex; flex-wrap: wrap; align-items: baseline; row-gap: .4em; max-width: 100%; }
.kept { white-space: nowrap; }
.remark { margin-inline-start: auto; padding-inline-start: 1.5em; color: var(--faint); font-size: .92rem;
  text-align: end; max-width: 100%; }

.values { overflow-x: auto; margin: .8rem 0; }
.values > table { width: 100%; }
table { border-collapse: collapse; }
th, td { text-align: start; vertical-align: top; padding: .3rem .8rem .3rem 0; font-weight: normal; }
.values > table > thead > tr > th { font-weight: bold; border-bottom: 2px solid var(--line); }
.values > table > tbody + tbody { border-top: 1px solid var(--line); }
.number, .array { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9rem; white-space: pre; }
.number { text-align: end; }
.bar { display: block;
  width: calc(var(--share) * 20em); height: .9em; background: currentColor; print-color-adjust: exact; }
.arrays { width: 100%; min-width: 11rem; }
.array { contain: inline-size; overflow-x: auto; line-height: 1.4; }
.array caption { text-align: start; }
.array caption, .array th, .array .more { color: var(--faint); }
.array th, .array td { padding: 0 1.1rem 0 0; text-align: end; }
.array caption:not(:empty) { padding-top: .2rem; }
ol.array { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1.1rem; }
.summary { margin: 0 0 .2rem; }

@media (max-width: 40rem) {
  body { padding: 1rem .7rem 3rem; }
  h1 { font-size: 1.35rem; }
  .formulas { margin-inline-start: .2rem; gap: .7rem .35em; }
  .side, .equation, .sides { column-gap: .35em; }
  th, td { padding-inline-end: .5rem; }
}
@media print {
  html { color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav { display: none; }
  .leaf + .leaf { break-before: page; border: 0; margin: 0; padding: 0; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  summary { list-style: none; padding-inline: 0; background: none; border-bottom: 1px solid var(--line); }
  h1, h2, h3, summary { break-after: avoid; }
  .side, tr { break-inside: avoid; }
  .left, .value, .values, .array { overflow: visible; }
}
"""


def _colours(theme: dict[str, str]) -> str:
    return ":root { " + " ".join(f"--{name}: {colour};" for name, colour in theme.items()) + " }"


def style_sheet() -> str:
    """The style sheet of a page."""
    roles = "\n".join(f".{role} {{ color: var(--{colour}); }}" for role, colour in ROLES.items())
    dark = f"@media screen and (prefers-color-scheme: dark) {{ {_colours(DARK)} }}"
    return f"{_colours(LIGHT)}\n{dark}\n{roles}\n.gradient * {{ color: inherit; }}{LAYOUT}"
