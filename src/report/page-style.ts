/** Style sheet of the pages that stand on their own, light or dark as the reader has it. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #1c1c21; --soft: #6a6a75; --line: #e3e3e8; --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf1; --soft: #9c9ca8; --line: #34343c; --page: #17171b; } }
body { margin: 0 auto; padding: 3rem 1.5rem 4rem; max-width: 46rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; font-weight: 600; margin: 0; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; font-weight: 600; margin: 2.6rem 0 0.3rem; }
p { margin: 0.2rem 0 0.8rem; } .soft, figcaption { color: var(--soft); }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: 0.25rem 1rem; margin: 1.4rem 0 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; font-size: 12px; } svg text { fill: var(--soft); }
.grid { stroke: var(--line); } .key { white-space: nowrap; margin-left: 0.6em; color: var(--ink); } .key i { display: inline-block; width: 0.75em; height: 0.75em; border-radius: 50%; margin-right: 0.35em; }
.tiles { display: grid; gap: 0.9rem 0.7rem; grid-template-columns: repeat(auto-fill, minmax(6rem, 1fr)); }
value { margin: 0; } value img { display: block; width: 100%; height: auto; border-radius: 2px; }
.maps img { image-rendering: pixelated; } figcaption { font-size: 12px; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 400; color: var(--soft); } td, th { padding: 0.15rem 0.8rem 0.15rem 0; border-bottom: 1px solid var(--line); }
summary { cursor: pointer; color: var(--soft); margin-top: 0.6rem; }
.scale { height: 8px; border-radius: 2px; margin: 0.2rem 0; } .ends { display: flex; justify-content: space-between; font-size: 12px; color: var(--soft); margin-bottom: 1rem; }
code { font-size: 12px; }
@media print { body { max-width: none; padding: 0; } details { display: none; } }`;
