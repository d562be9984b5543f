/** The table of the step summary. Pure. */
import type { Reference } from '../keys/reference.ts';
import { patternText, type RoutedKey } from '../keys/routes.ts';

export interface SummaryKey extends RoutedKey {
  readonly secret: { readonly reference: Reference; readonly version: string };
}

/** @param lifetime seconds; 0 for no limit */
export function renderSummary(keys: readonly SummaryKey[], lifetime: number): string {
  const rows = keys.map(({ secret, fingerprint, repositories }) => [
    code(secret.reference.text),
    secret.version,
    code(fingerprint),
    repositories.map((pattern) => code(patternText(pattern))).join(', ') || 'what no other key claims',
    lifetime === 0 ? 'the job' : `${lifetime} s`,
  ]);
  const head = ['key', 'version', 'fingerprint', 'repositories', 'lifetime'];
  const lines = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return ['### SSH keys', '', ...lines, ''].join('\n');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}
