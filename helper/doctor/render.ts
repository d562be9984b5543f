/** The findings of doctor as text for people. Pure. */
import type { Finding, Status } from './finding.ts';

/** @source ECMA-48, Select Graphic Rendition */
const colours: Readonly<Record<Status, number>> = { ok: 32, skip: 2, warn: 33, fail: 31 };

/** One line for each finding; the remedy is on the next line. */
export function renderFindings(
  findings: readonly Finding[],
  { colour }: { readonly colour: boolean },
): string {
  const lines = findings.flatMap(({ check, status, detail, remedy }) => [
    `${paint(status, colour)} ${check}: ${detail}`,
    ...(remedy === '' ? [] : [`     ${status === 'skip' ? 'note' : 'remedy'}: ${remedy}`]),
  ]);
  return lines.map((line) => `${line}\n`).join('');
}

/** `12 ok, 1 failed, 2 warnings, 3 skipped` */
export function countOf(findings: readonly Finding[]): string {
  const count = (status: Status): number => findings.filter((finding) => finding.status === status).length;
  const warnings = count('warn') === 1 ? '1 warning' : `${count('warn')} warnings`;
  return `${count('ok')} ok, ${count('fail')} failed, ${warnings}, ${count('skip')} skipped\n`;
}

/** Four columns. */
function paint(status: Status, colour: boolean): string {
  const word = status.padEnd(4);
  return colour ? `\u001b[${colours[status]}m${word}\u001b[0m` : word;
}
