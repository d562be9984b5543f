/** Random command lines of ssh: mostly such as ssh accepts, some that it refuses. Pure. */
import { seededRandom } from '../../support/aws/session-manager/random.ts';

type Pick = <Item>(items: readonly Item[]) => Item;
type Odds = (one: number) => boolean;
interface Dice {
  readonly pick: Pick;
  /** True once in so many times. */
  readonly oneIn: Odds;
  readonly upTo: (end: number) => number;
}

/** @returns the command lines, the same ones for the same seed */
export function commandLines(count: number, seed: number): string[][] {
  const random = seededRandom(seed);
  const upTo = (end: number): number => Math.floor(random() * end);
  const dice: Dice = {
    pick: (items) => items[upTo(items.length)] as (typeof items)[number],
    oneIn: (one) => upTo(one) === 0,
    upTo,
  };
  return Array.from({ length: count }, () => commandLine(dice));
}

function commandLine(dice: Dice): string[] {
  const { oneIn, upTo } = dice;
  return [
    ...options(dice, upTo(4)),
    ...(oneIn(6) ? ['--'] : []),
    ...(oneIn(40) ? [] : [target(dice)]),
    ...(oneIn(3) ? options(dice, upTo(3)) : []),
    ...(oneIn(12) ? ['--'] : []),
    ...(oneIn(2) ? command(dice) : []),
  ];
}

const options = (dice: Dice, count: number): string[] =>
  Array.from({ length: count }, () => option(dice)).flat();

const flags = '4 6 A C G K N T a k n q t v x y X Y tt vv 4C Tq 2 n s f M g'.split(' ');
/** Flags that every ssh refuses, and those that only some versions know. */
const oddFlags = '1 V z H d h j r u U Z P - ?'.split(' ');

const values: Readonly<Record<string, readonly string[]>> = {
  b: ['127.0.0.1', 'i-0123456789abcdef0'],
  B: ['lo'],
  c: ['aes256-ctr', 'nothing'],
  D: ['1080', '127.0.0.1:1080'],
  E: ['/dev/null'],
  e: ['none', '~', '--'],
  F: ['/dev/null', 'none'],
  I: ['/nowhere/pkcs11.so'],
  i: ['/nowhere/key', '--', 'key with space'],
  J: ['jump.test', 'me@jump.test:2222', 'none'],
  L: ['8080:127.0.0.1:80', '/tmp/a:/tmp/b'],
  m: ['hmac-sha2-256'],
  O: ['check', 'exit', 'what'],
  Q: ['key'],
  R: ['8080:127.0.0.1:80', '0'],
  S: ['none', '/nowhere/socket', '--'],
  W: ['host.test:22'],
  w: ['any', '0:1'],
};

const ports = [
  '22',
  '2222',
  '443',
  '022',
  '0',
  '00443',
  '65535',
  '65536',
  '+22',
  ' 22',
  '-1',
  'ssh',
  'https',
  '22x',
  '',
];
const users = [
  'git',
  'root',
  'ec2-user',
  'a b',
  "o'neill",
  'me@corp.test',
  '%u',
  '--',
  'a"b',
  'a\\b',
  '-x',
  '',
];

function option(dice: Dice): string[] {
  const { oneIn, pick } = dice;
  if (oneIn(60)) return [`-${pick(flags)}${pick(oddFlags)}`];
  if (oneIn(3)) return [`-${pick(flags)}`];
  const [letter, value] = valued(dice);
  // `-4p 22`, `-4p22`, `-p22`, `-p 22`; a value may be missing at the end.
  const word = `-${oneIn(5) ? pick(['4', 'v', 'Tq', 'G']) : ''}${letter}`;
  if (oneIn(100)) return [word];
  return oneIn(3) && value !== '' ? [`${word}${value}`] : [word, value];
}

function valued(dice: Dice): readonly [string, string] {
  const { oneIn, pick, upTo } = dice;
  if (oneIn(4)) return ['p', pick(ports)];
  if (oneIn(5)) return ['l', pick(users)];
  if (upTo(3) > 0) return ['o', setting(dice)];
  const letter = pick(Object.keys(values));
  return [letter, pick(values[letter] ?? [''])];
}

const settings: readonly (readonly [string, readonly string[]])[] = [
  ['Port', ports],
  ['User', users],
  ['ForwardAgent', ['yes', 'no', 'true', 'false', '/a/socket', '$SSH_AUTH_SOCK', 'NO', '']],
  ['IdentityFile', ['/a/key', 'none', '~/k']],
  ['IdentityAgent', ['none', '/a/socket', 'SSH_AUTH_SOCK']],
  ['ControlMaster', ['no', 'auto']],
  ['ControlPath', ['none', '/a/%C']],
  ['ControlPersist', ['60s', 'no']],
  ['ProxyCommand', ['none', 'nc %h %p']],
  ['ProxyJump', ['none', 'jump.test']],
  ['HostName', ['other.test', '%h.example.com']],
  ['SendEnv', ['GIT_PROTOCOL', 'LANG LC_*']],
  ['SetEnv', ['A=b', '"A=b c"']],
  ['BatchMode', ['yes']],
  ['StrictHostKeyChecking', ['no', 'yes', 'accept-new']],
  ['ConnectTimeout', ['10']],
  ['PortX', ['22']],
  ['UserKnownHostsFile', ['/dev/null', '"/a b"']],
];

/** `KEYWORD=VALUE` in the forms of ssh_config(5). */
function setting(dice: Dice): string {
  const { oneIn, pick } = dice;
  const [keyword, all] = oneIn(2) ? pick(settings) : pick(settings.slice(0, 3));
  const front = oneIn(8) ? pick([' ', '\t', '  ', '=', ' =', '""']) : '';
  const between = oneIn(3) ? pick([' ', '\t', ' = ', '  ', '= ', ' =', '==', '\t=\t', ' == ', '']) : '=';
  const behind = oneIn(8) ? pick([' ', '\t', ' # comment', ' #', ' more', '\n', '\r', '\f']) : '';
  return `${front}${spelled(keyword, dice)}${between}${quoted(pick(all), dice)}${behind}`;
}

function spelled(keyword: string, { oneIn, pick, upTo }: Dice): string {
  const cased = oneIn(4) ? pick([keyword.toLowerCase(), keyword.toUpperCase()]) : keyword;
  if (!oneIn(12)) return cased;
  const at = upTo(cased.length);
  return pick([`"${cased}"`, `'${cased}'`, `${cased.slice(0, at)}"${cased.slice(at)}"`, `"${cased}`]);
}

function quoted(value: string, { oneIn, pick, upTo }: Dice): string {
  if (!oneIn(4)) return value;
  const at = upTo(value.length + 1);
  const [one, two] = [value.slice(0, at), value.slice(at)];
  return pick([
    `"${value}"`,
    `'${value}'`,
    `${one}"${two}"`,
    `"${one}"${two}`,
    `${one}\\${two}`,
    `"${value}`,
  ]);
}

const hosts = [
  ...['github.com', 'GitHub.COM', 'git.example.com', 'localhost', '127.0.0.1', '2001:db8::1', '[::1]', '::1'],
  ...[
    'i-0123456789abcdef0',
    'mi-0123456789abcdef0',
    'I-0123456789ABCDEF0',
    'Name=web-1',
    'a_b',
    'x.',
    'ä.test',
  ],
  ...['-host', '', '-', 'a/b', 'a:22', 'host:2222', 'with space', "quo'te", '%h', '@', 'a@b'],
];
const rarely = 26;

function target(dice: Dice): string {
  const { oneIn, pick, upTo } = dice;
  const host = oneIn(5) ? pick(hosts) : pick(hosts.slice(0, hosts.length - 11));
  if (upTo(3) > 0) return upTo(3) > 0 ? `${pick(userParts)}@${host}` : host;
  const user = oneIn(2) ? `${pick([...userParts, 'a%27b', 'a%20b', 'a%zz', '%41', 'a;b', 'a:b'])}@` : '';
  const port = oneIn(3) ? `:${pick(ports)}` : '';
  const path = oneIn(4) ? pick(['/', '/acme/lib', '/a@b', '//', '/a:1']) : '';
  const inUrl = host.includes(':') && !host.startsWith('[') && !oneIn(rarely) ? `[${host}]` : host;
  return `${pick(['ssh://', 'ssh://', 'ssh://', 'SSH://', 'ssh:/', 'scp://'])}${user}${inUrl}${port}${path}`;
}
const userParts = ['git', 'git', 'root', 'ec2-user', 'me@corp.test', "o'neill", 'a b', '', '-x', 'A'];

function command({ pick, oneIn }: Dice): string[] {
  const path = pick([
    'acme/lib.git',
    '/acme/lib',
    '~me/x',
    "it'\\''s",
    'a b',
    '/',
    '//a//',
    'Acme/LIB.git',
    '',
  ]);
  const program = pick([
    'git-upload-pack',
    'git-receive-pack',
    '/usr/bin/git-upload-pack',
    'git upload-pack',
    'git-lfs-authenticate',
  ]);
  if (oneIn(3))
    return pick([
      ['true'],
      ['ls', '-l'],
      ['-p', '22'],
      ['', 'x'],
      ['--', 'x'],
      ['echo', "git-upload-pack 'a'"],
    ]);
  return oneIn(4) ? [program, `'${path}'`] : [`${program} '${path}'`];
}
