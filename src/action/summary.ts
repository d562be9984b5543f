/** The table of the step summary. Pure. */
import { patternText } from '../keys/routes.ts';
import type { LoadedKey } from './hand-over.ts';

/** @param lifetime seconds; 0 for no limit */
export function renderSummary(keys: readonly LoadedKey[], lifetime: number): string {
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
