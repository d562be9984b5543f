/** Lines of `known-hosts` that ssh would silently skip. Their valid keys are GitHub's public ones. */
import { pinnedHosts } from '../../../src/ssh/known-hosts.ts';
import type { SshKey } from '../ssh-keys.ts';
import type { BadInput } from './bad-input.ts';

const [ed25519 = ''] = pinnedHosts[0]?.keys ?? [];
const blob = ed25519.split(' ')[1] ?? '';

const form = 'write HOST TYPE KEY, as ssh-keyscan HOST prints it';
const markers = 'the markers are @cert-authority and @revoked';
const few = 'has fewer than three fields';
const noHosts = 'does not begin with host names';
const noKey = 'has no ssh-ed25519 key in its third field';

const at = (number: number, lines: string, rest: Pick<BadInput, 'what' | 'says' | 'hint'>): BadInput => ({
  ...rest,
  what: `known-hosts: ${rest.what}`,
  given: { 'known-hosts': lines },
  later: true,
  code: 'KNOWN_HOSTS_INVALID',
  names: `known-hosts, line ${number}: the line `,
});

type Row = readonly [what: string, line: string, says: string, hint?: string];

const rows = ({ privateKey }: SshKey): Row[] => [
  ['an unknown marker', `@trusted a.example ${ed25519}`, 'has the unknown marker @trusted', markers],
  ['a marker alone', '@revoked', few],
  ['a host alone', 'a.example', few],
  ['a host and a type', 'a.example ssh-ed25519', few],
  ['a key and no host', ed25519, few],
  ['a public key with its comment', `${ed25519} me@example.com`, 'key in its third field'],
  ['a key cut off', `a.example ssh-ed25519 ${blob.slice(0, -8)}`, noKey],
  ['the key of another type', `a.example ssh-rsa ${blob}`, 'has no ssh-rsa key in its third field'],
  ['dots for a key', 'a.example ssh-ed25519 AAAA\u2026', noKey],
  ['a fingerprint', 'a.example ssh-ed25519 SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU', noKey],
  ['a key of the first protocol', 'a.example 1024 35 1234567890', 'has no 1024 key'],
  ['a broken hash', `|1|abc ${ed25519}`, noHosts],
  ['a hash of an unknown kind', `|2|YWJj|YWJj ${ed25519}`, noHosts],
  ['a comma at the end of the hosts', `a.example, ${ed25519}`, noHosts],
  ['an empty host between commas', `a.example,,b.example ${ed25519}`, noHosts],
  ['a host on a line of its own', `a.example\n${ed25519}`, few],
  ['the text of a private key', privateKey, 'key in its third field'],
  ['the name of a file', '~/.ssh/known_hosts', few],
];

export function badKnownHosts(key: SshKey): BadInput[] {
  const good = `b.example ${ed25519}`;
  const rest = { says: few, hint: form };
  return [
    ...rows(key).map(([what, line, says, hint = form]) =>
      at(3, `# ours\n${good}\n${line}\n${good}`, { what, says, hint }),
    ),
    at(1, 'a.example', { what: 'the only line', ...rest }),
    at(3, `${good}\r\n\r\na.example\r\n`, { what: 'behind CRLF', ...rest }),
    at(4, `\n \n${good}\na.example\n`, { what: 'behind blank lines at the beginning', ...rest }),
  ];
}
