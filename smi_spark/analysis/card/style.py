"""How a card looks: one style sheet, light and dark, narrow and wide, on the screen and on paper.

Text has a contrast of 4.5 : 1 or more to what it stands on, and lines and bars 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11).
"""

STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --panel: #f3f6f8; --text: #1b1f23; --quiet: #4d565e;
  --line: #c9d1d8; --edge: #6b7680; --mine: #31688e; --all: #a6480f; --tint: 49 104 142; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14181c; --panel: #1e252b; --text: #e9edf0; --quiet: #aeb8c0; --line: #3b454d; --edge: #8f9aa3;
    --mine: #7fb5dc; --all: #f2a866; --tint: 127 181 220; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, "Segoe UI", sans-serif; }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; max-width: 46rem; }
.question { font-size: 1.1rem; }
.quiet, caption, figcaption { color: var(--quiet); font-size: .9rem; }
caption { text-align: left; padding-bottom: .35rem; caption-side: top; }
a { color: var(--mine); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; margin: 1rem 0 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.facts div { background: var(--panel); border-radius: .5rem; padding: .6rem .8rem; }
.facts dt { color: var(--quiet); font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll:focus-visible, a:focus-visible, summary:focus-visible { outline: 3px solid var(--mine); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: min(100%, 20rem); margin-top: .5rem; }
table.wide { width: 100%; }
th, td { padding: .25rem .6rem; text-align: left; vertical-align: middle; border-bottom: 1px solid var(--line); }
thead th { font-size: .85rem; color: var(--quiet); border-bottom: 2px solid var(--edge); vertical-align: bottom; }
thead td { border-bottom: 2px solid var(--edge); }
tbody th { font-weight: 400; white-space: nowrap; }
tbody th.rule { white-space: normal; min-width: 12rem; }
tbody td { white-space: nowrap; }
tr.sum > * { font-weight: 600; }
.n { text-align: right; }
td.hid { color: var(--quiet); font-style: italic; }
td.shade { background: rgb(var(--tint) / calc(var(--tenths) * 3.5%)); }
td.bar { width: 40%; min-width: 3.5rem; }
.track { position: relative; display: block; height: .8rem; background: var(--panel); border-radius: 2px; }
.track i { position: absolute; inset: 0 auto 0 0; width: var(--part); background: var(--mine); border-radius: 2px; }
.track b { position: absolute; top: -.2rem; bottom: -.2rem; left: calc(var(--part) - 1.5px); width: 3px;
  background: var(--all); }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .25rem 0 .5rem; padding: 0; list-style: none;
  font-size: .9rem; }
.key i, .key b { display: inline-block; margin-right: .4rem; background: var(--mine); width: 1rem; height: .7rem; }
.key b { background: var(--all); width: 3px; height: 1rem; vertical-align: -.15rem; }
svg.flow { display: block; width: 100%; max-width: 32rem; height: auto; margin: .75rem 0; }
svg.flow rect { fill: var(--panel); stroke: var(--edge); }
svg.flow text { fill: var(--text); font-size: 13px; }
svg.flow text.left { font-weight: 600; font-size: 12.5px; }
svg.flow text.quiet { fill: var(--quiet); font-size: 12.5px; }
svg.flow path { fill: none; stroke: var(--edge); stroke-width: 1.5; }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--mine); }
p code, li { overflow-wrap: anywhere; }
footer { padding-bottom: 3rem; }
.cite { background: var(--panel); border-left: 4px solid var(--mine); padding: .6rem .8rem; overflow-wrap: anywhere; }
.two { display: grid; align-items: start; gap: .75rem 2.5rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
@media (max-width: 30rem) {
  th, td { padding: .25rem .4rem; }
  th, td { font-size: .9rem; }
  tbody th { white-space: normal; min-width: 4.2rem; }
}
@media print { .scroll { overflow: visible; } nav { display: none; } }
"""
