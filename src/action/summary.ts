/** The table of the step summary. Pure. */
import { code, table } from './markdown.ts';
import { patternText, type RoutedKey } from '../keys/routes.ts';

export interface SummaryKey extends RoutedKey {
  readonly secret: { readonly reference: { readonly text: string }; readonly version: string };
}

export interface SummaryToken {
  readonly secret: SummaryKey['secret'];
  readonly repositories: readonly string[];
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

interface Loaded {
  readonly keys: readonly SummaryKey[];
  readonly tokens: readonly SummaryToken[];
}

/** @param lifetime of the keys, in seconds; 0 for no limit */
export function renderSummary({ keys, tokens }: Loaded, lifetime: number): string {
  const rows = keys.map(({ secret, fingerprint, repositories }) => [
    ...named(secret),
    code(fingerprint),
    repositories.map((pattern) => code(patternText(pattern))).join(', ') || 'all that no other key matches',
    lifetime === 0 ? 'the job' : `${lifetime} s`,
  ]);
  const tokenRows = tokens.map(({ secret, repositories, expiresAt }) => [
    ...named(secret),
    'token for HTTPS',
    repositories.map(code).join(', '),
    `until ${timeOfDay(expiresAt)}`,
  ]);
  const title = tokens.length === 0 ? 'SSH keys' : keys.length === 0 ? 'Tokens' : 'SSH keys and tokens';
  const head = ['key', 'version', 'fingerprint', 'repositories', 'lifetime'];
  return table(title, head, [...rows, ...tokenRows]);
}

/** `10:31 UTC` */
export function timeOfDay(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(11, 16)} UTC`;
}

function named({ reference, version }: SummaryKey['secret']): string[] {
  // AWS says the version. Another text than usual is shown as text, and never as Markdown.
  return [code(reference.text), /^[\w-]*$/.test(version) ? version : code(version)];
}
