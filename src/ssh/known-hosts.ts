/** Host keys that connections are held to: the pinned ones and the user's lines, as one known_hosts file. Pure. */
import { Failure } from '../errors.ts';
import { WireReader } from '../keys/wire.ts';
import { pinnedHosts } from './pinned-hosts.ts';

/** @source sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT" */
const markers: ReadonlySet<string> = new Set(['@cert-authority', '@revoked']);
const hostPatterns = /^(\|1\|[A-Za-z0-9+/=]+\|[A-Za-z0-9+/=]+|[^\s,|]+(,[^\s,|]+)*)$/;

/**
 * @param lines in known_hosts form, as the user wrote them; blank lines and comments are kept out
 * @returns the file's text: the user's lines first, since ssh lets any match count and a person reads from the top
 * @throws KNOWN_HOSTS_INVALID naming the line
 */
export function renderKnownHosts(lines: string): string {
  const pinned = pinnedHosts.flatMap(({ names, keys }) => keys.map((key) => `${names.join(',')} ${key}`));
  return [...parseLines(lines), ...pinned, ''].join('\n');
}

function parseLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/).map((line, index) => ({ line: line.trim(), number: index + 1 }));
  const written = lines.filter(({ line }) => line !== '' && !line.startsWith('#'));
  for (const { line, number } of written) checkLine(line, number);
  return written.map(({ line }) => line.split(/\s+/).join(' '));
}

function checkLine(line: string, number: number): void {
  const fields = line.split(/\s+/);
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
  if (marker !== undefined && !markers.has(marker)) {
    throw invalid(number, `has the unknown marker ${marker}`, 'the markers are @cert-authority and @revoked');
  }
  const [hosts = '', type = '', key = ''] = fields;
  if (key === '') throw invalid(number, 'has fewer than three fields', form);
  if (!hostPatterns.test(hosts)) throw invalid(number, 'does not begin with host names', form);
  if (typeOf(key) !== type) {
    throw invalid(number, `has no ${type} key in its third field`, form);
  }
}

/** The type that a key's wire form begins with, where the whole of it is there: ssh skips such lines in silence. */
function typeOf(key: string): string | undefined {
  const blob = Buffer.from(key, 'base64');
  if (blob.toString('base64') !== key) return undefined;
  try {
    const fields = new WireReader(blob);
    const type = fields.string().toString('latin1');
    do fields.string();
    while (fields.rest.length > 0);
    return type;
  } catch {
    return undefined; // Cut off.
  }
}

const form =
  'write HOST TYPE KEY, as ssh-keyscan HOST prints it (compare its fingerprint with what the host publishes)';

function invalid(number: number, problem: string, hint: string): Failure {
  return new Failure('KNOWN_HOSTS_INVALID', `known-hosts, line ${number}: the line ${problem}`, { hint });
}
