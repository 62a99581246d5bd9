import type { ErrorJson } from '../errors.js';
import { curveChart, escaped, stageChart, timelineChart } from './chart.js';
import { type MachineFacts, machineText } from './machine.js';
import type { ScenarioResult, Table } from './result.js';
import type { Verdict } from './verdict.js';

/** What a run found, whole. */
export interface Report {
  readonly machine: MachineFacts;
  readonly verdict: Verdict;
  readonly results: readonly Omit<ScenarioResult, 'files'>[];
  /** What ended it before all was measured. */
  readonly fault?: ErrorJson;
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
.verdict { border-radius: 4px; color: #fff; font-weight: 600; padding: 0.1rem 0.5rem; }
.PASS { background: #1a7f37; } .NOISY { background: #9a6700; } .FAIL { background: #b42318; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0.5rem 0 1rem; }
caption { font-weight: 600; padding: 0.4rem 0; text-align: left; }
th, td { border-bottom: 1px solid #8884; padding: 0.2rem 0.7rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
svg { display: block; height: auto; margin: 0.5rem 0; max-width: 100%; width: 860px; }
svg text { fill: currentColor; font: 11px system-ui, sans-serif; }
footer { color: #777; margin-top: 3rem; }
@media print { body { margin: 0; max-width: none; } h2 { break-before: page; } svg, table { break-inside: avoid; } }`;

/** One page that needs nothing else: no script, no network. */
export function html({ machine, verdict, results }: Report): string {
  const sections = results.map(
    (result) => `<section><h2>${escaped(result.title)} ${badge(result.verdict)}</h2>
${reasons(result.verdict)}
${curveChart(result.lines)}
${timelineChart(result.lines)}
${stageChart(result.stages ?? [])}
${result.tables.map(htmlTable).join('\n')}
${result.notes.map((note) => `<p>${escaped(note)}</p>`).join('\n')}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>depthwire bench, ${escaped(machine.date)}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head><body>
<h1>Latency of depthwire ${escaped(machine.depthwire)} ${badge(verdict)}</h1>
<p>${escaped(machineText(machine))} · ${escaped(machine.date)}</p>
${reasons(verdict)}
${sections.join('\n')}
<footer>Where messages are planned, times run from when one should have left. PASS: the figures may be believed; NOISY: the machine had other things to do; FAIL: they may not.
Grey is what the machine itself adds. <code>docs/bench.md</code> says how it is measured.</footer>
</body></html>
`;
}

function badge({ word }: Verdict): string {
  return `<span class="verdict ${word}">${word}</span>`;
}

function reasons({ reasons }: Verdict): string {
  if (reasons.length === 0) return '';
  return `<ul>${reasons.map((reason) => `<li>${escaped(reason)}</li>`).join('')}</ul>`;
}

function htmlTable({ title, heads, rows }: Table): string {
  const cells = (tag: string, line: readonly string[]): string =>
    `<tr>${line.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table><caption>${escaped(title)}</caption><thead>${cells('th', heads)}</thead><tbody>${rows
    .map((row) => cells('td', row))
    .join('')}</tbody></table></div>`;
}

/** For a README or an issue. */
export function markdown({ machine, verdict, results }: Report): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const table = ({ title, heads, rows }: Table): string =>
    [`**${title}**`, '', line(heads), line(heads.map(() => '---')), ...rows.map(line), ''].join('\n');
  const sections = results.map(({ title, tables, verdict: { word, reasons }, notes }) =>
    [
      `## ${title}: ${word}`,
      '',
      ...reasons.map((reason) => `* ${reason}`),
      ...(reasons.length === 0 ? [] : ['']),
      ...tables.map(table),
      ...notes,
      '',
    ].join('\n'),
  );
  const why = verdict.reasons.map((reason) => `* ${reason}\n`).join('');
  return `# depthwire bench: ${verdict.word}\n\n${why}${why === '' ? '' : '\n'}${machineText(machine)} · ${machine.date}\n\n${sections.join('\n')}`;
}
