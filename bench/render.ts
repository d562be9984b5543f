/** Writes results.json and RESULTS.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { bounds, type Bound } from './bounds.ts';
import type { Spread } from './measure.ts';
import type { Figure, Results, Section, SectionResult } from './results.ts';

/** @param sections in the order of the document */
export async function writeResults(results: Results, sections: readonly Section[]): Promise<void> {
  await write('results.json', JSON.stringify(results));
  await write('RESULTS.md', render(results, sections));
}

async function write(name: string, text: string): Promise<void> {
  const path = join(import.meta.dirname, name);
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
}

function render(results: Results, sections: readonly Section[]): string {
  const parts = [
    '# Measurements',
    `Written by \`npm run bench\`. Times depend on the machine, so compare ratios. Everything in one section was measured in one run, in turns. Each value is a median, with minimum and maximum behind it.`,
    table(['machine', ''], Object.entries(results.machine)),
    '## Bounds',
    table(
      ['bound', 'at most', 'measured', 'met', 'reason'],
      bounds.map((bound) => boundRow(bound, results)),
    ),
    ...sections.flatMap((section) => renderSection(section, results.sections[section.name])),
  ];
  return parts.join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function boundRow({ what, section, figure, most, reason = '' }: Bound, { sections }: Results): string[] {
  const found = sections[section]?.figures[figure];
  if (!found) return [what, shown(most), 'not run', '', ''];
  const met = found.median <= most;
  return [what, shown(most), spread(found, figureText(found)), met ? 'yes' : '**no**', met ? '' : reason];
}

function renderSection({ title, about }: Section, result: SectionResult | undefined): string[] {
  if (!result) return [`## ${title}`, about, 'Not run.'];
  const { date, rounds, load, ways, figures, notRun } = result;
  const [start, end] = load.map((value) => value.toFixed(1));
  const rows = Object.entries(ways).map(([name, { wall, processor }]) => [
    name,
    spread(wall, milliseconds),
    processor ? spread(processor, milliseconds) : '',
  ]);
  return [
    `## ${title}`,
    about,
    `${date}${rows.length > 0 ? `, ${rounds} rounds` : ''}. The machine's load was ${start ?? ''} at the start and ${end ?? ''} at the end.`,
    ...(rows.length > 0 ? [table(['command', 'wall time, ms', 'processor time, ms'], rows)] : []),
    table(
      ['figure', 'measured'],
      Object.entries(figures).map(([name, figure]) => [name, spread(figure, figureText(figure))]),
    ),
    ...(result.table ? [table(result.table.head, result.table.rows)] : []),
    ...notRun.map((what) => `Not run: ${what}.`),
  ];
}

const milliseconds = (value: number): string => String(Math.round(value));

function figureText({ unit }: Figure): (value: number) => string {
  return (value) => `${shown(value)}${unit && ` ${unit}`}`;
}

/** Integers stay, ratios have two decimals. */
function shown(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2);
}

function spread({ median, min, max }: Spread, text: (value: number) => string): string {
  return min === max ? text(median) : `${text(median)} (${text(min)} to ${text(max)})`;
}
