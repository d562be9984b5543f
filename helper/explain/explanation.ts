/** The answer of `explain`, as text and as JSON. Pure. */
import type { OfferedKey, PassedOver, Source } from '../../src/host/explain.ts';
import { shown } from '../../src/keys/shown-text.ts';
import { signedBy, signedByText, signingLineOf } from './signing.ts';

export interface Explanation {
  /** As it was asked for. */
  readonly asked: string;
  /** What git makes of the URL by `insteadOf` or a remote's name; null: the same. */
  readonly rewritten: string | null;
  readonly kind: 'ssh' | 'ec2' | 'https' | 'other';
  /** Whether a key or a credential of ours would be offered. */
  readonly offered: boolean;
  /** One sentence. */
  readonly answer: string;
  readonly why: string;
  readonly keys: readonly OfferedKey[];
  /** Only for EC2 hosts. */
  readonly ec2?: Ec2Connection | undefined;
  readonly passedOver: readonly PassedOver[];
  /** What else matters: a rewritten URL, ignored settings, a wrong reference. */
  readonly notes: readonly string[];
  /** Whether a command that is neither ssm-ssh nor ssh without a key is started without a key of ours. Not in JSON. */
  readonly isForeign?: boolean;
}

export interface Ec2Connection {
  readonly via: string;
  /** null: ssh decides, by its configuration or the login name. */
  readonly user: string | null;
  /** Whether a key is made for the connection and pushed with EC2 Instance Connect. */
  readonly pushesKey: boolean;
}

/** In JSON every member is there: what is not known is null. */
export function asJson(explanation: Explanation): string {
  const { asked, rewritten, kind, offered, answer, why, keys, passedOver, ec2, notes } = explanation;
  const shape = {
    ...{ asked, rewritten, kind, offered, answer, why },
    keys: keys.map((key) => {
      const { reference = null, fingerprint = null, repository = null, source } = key;
      const line = signingLineOf(key);
      const signing = line ? signedBy(line) : null;
      return { reference, fingerprint, repository, source: placeOf(source), signing };
    }),
    ec2: ec2 ?? null,
    passedOver: passedOver.map(({ what, source, why }) => ({ what, source: placeOf(source), why })),
    notes,
  };
  return `${JSON.stringify(cleaned(shape), null, 2)}\n`;
}

function placeOf(source: Source | undefined): object | null {
  if (!source) return null;
  const { name, scope, file = null, line = null } = source;
  return { name, scope, file, line };
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return shown(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cleaned(part)]));
}

/** Lines of others that are shown; JSON has all. */
const mostLines = 20;

/** The answer is the first line. */
export function asText({ answer, why, keys, ec2, passedOver, notes, rewritten }: Explanation): string {
  const left = passedOver.slice(mostLines).length;
  const lines = [
    answer,
    `why: ${why}`,
    ...keys.flatMap((key) => [`from: ${textOf(key.source)}`, ...signingText(key)]),
    ...(ec2
      ? [`via: ${ec2.via}`, `user: ${ec2.user ?? "as ssh's configuration says, or your login name"}`]
      : []),
    ...(rewritten === null ? [] : [`git rewrites the URL to: ${rewritten}`]),
    ...(passedOver.length > 0 ? ['passed over:'] : []),
    ...passedOver
      .slice(0, mostLines)
      .map(({ what, source, why: reason }) => `  ${what}${source ? ` (${textOf(source)})` : ''}: ${reason}`),
    ...(left > 0 ? [`  and ${String(left)} more: --json shows all`] : []),
    ...notes.map((note) => `note: ${note}`),
  ];
  return lines.map((line) => `${shown(line)}\n`).join('');
}

function signingText(key: OfferedKey): string[] {
  const line = signingLineOf(key);
  return line ? signedByText(signedBy(line)) : [];
}

export function textOf({ name, scope, file, line }: Source): string {
  const place = file === undefined ? [] : [`${file}${line === undefined ? '' : ` line ${String(line)}`}`];
  return [name, scope, ...place].join(', ');
}
