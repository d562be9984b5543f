/** Names that users write: references, lines of `keys`, repositories, EC2 hosts, URLs. */
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { parseInputs } from '../../../src/action/inputs.ts';
import { parseHostName } from '../../../src/ec2/host-name.ts';
import { parsePrefix } from '../../../src/git/store-entry.ts';
import { remoteOfUrl } from '../../../src/host/foreign-command.ts';
import { parseKeyLine, parseLines } from '../../../src/keys/key-line.ts';
import { keyLineText } from '../../../src/keys/key-line-text.ts';
import { isStored, parseKeyReference } from '../../../src/keys/key-reference.ts';
import { arnOf, identityOf, parseReference } from '../../../src/keys/reference.ts';
import {
  matchRoutes,
  parseRepositoryPattern,
  patternText,
  readClaims,
  renderRoutes,
} from '../../../src/keys/routes.ts';
import { readRouteLines } from '../../../src/keys/route-lines.ts';
import { shown, shownCommand } from '../../../src/keys/shown-text.ts';
import { readSigningLines, renderSigningLines } from '../../../src/keys/signing-lines.ts';
import { parseStorageName, shownName } from '../../../src/keys/storage-name.ts';
import { isUrl, parseTarget } from '../../../helper/explain/target.ts';
import { damaged, rowOf } from '../hostile.ts';
import { acts, holds, type Target } from '../target.ts';

const references = [
  ...['/ci/deploy-key', '/ci/deploy-key:7', '/ci/deploy-key:prod', 'deploy-key', 'ssm:/ci/key'],
  ...['arn:aws:ssm:eu-west-1:111122223333:parameter/ci/deploy-key:7', 'secretsmanager:ci/deploy:private_key'],
  `secretsmanager:ci/deploy:k:AWSPREVIOUS:${'a'.repeat(32)}`,
  'arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:ci/deploy-AbCdEf:k',
  ...[
    'kms:alias/deploy',
    'kms:1234abcd-12ab-34cd-56ef-1234567890ab',
    `kms:mrk-${'0'.repeat(32)}`,
    'new:ed25519',
  ],
  'arn:aws:kms:eu-west-1:111122223333:alias/deploy',
];
const place = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };

function readReference(text: string): void {
  const reference = parseKeyReference(text);
  holds(reference.text === text, 'the text of a reference is what was written');
  holds(isDeepStrictEqual(parseKeyReference(text), reference), 'another reference by the same text');
  if (!isStored(reference)) return;
  const again = parseReference(identityOf(reference));
  holds(identityOf(again) === identityOf(reference), 'another value by its identity');
  const arn = arnOf(reference, place);
  holds(/^arn:[\w-]+:(ssm|secretsmanager):[\w-]+:\d{12}:[\w/+=.@!?:-]+$/.test(arn), `an ARN with ${arn}`);
}

const referenceTarget: Target = {
  name: 'references',
  seeds: references,
  near: fc.oneof(damaged(fc.constantFrom(...references)), rowOf([...references, ':', '/', 'aws'])),
  read: readReference,
};

const storageTarget: Target = {
  name: 'storage-names',
  seeds: references,
  near: damaged(fc.constantFrom(...references)),
  read: (text) => {
    if (text.length % 3 === 0) parsePrefix(text, 'ssm.storePrefix');
    const reference = parseStorageName(text, { secret: text.length % 2 === 0 });
    holds(/^[\w/+=.@!-]+$/.test(shownName(reference)), 'a name with other characters');
  },
};

const lineWords = [
  ...references,
  ...['passphrase=/ci/pass', 'certificate=/ci/cert', 'ca=kms:alias/ca', 'principals=deploy,web', 'valid=15m'],
  ...['extensions=permit-pty,login@github.com=me', 'source-address=192.0.2.0/24,2001:db8::/32', 'uses=3'],
  ...[
    'force-command=git%20pull',
    'unbound=allow',
    'forwarding=allow',
    'as=github-app',
    'as=key',
    '\n',
    '# x',
  ],
  ...['github.com/acme/lib', '*.example.com', 'git@github.com:acme/lib.git', 'ssh://git@h:2222/a%20b'],
];

const keyLines = [
  '/ci/key github.com/acme/lib',
  'kms:alias/deploy unbound=allow uses=3 git.example.com:2222/platform/*',
  'new:ed25519 ca=kms:alias/ca principals=deploy valid=1h extensions=permit-pty force-command=git%20pull',
  '# comment\n\n/ci/key passphrase=/ci/pass certificate=/ci/cert\nsecretsmanager:ci/app as=github-app github.com/acme',
];

function readLines(text: string): void {
  const { keys } = parseLines(text);
  for (const line of keys) {
    const written = keyLineText(line);
    holds(!/[\r\n]/.test(written), 'a line with a line end');
    holds(isDeepStrictEqual(parseKeyLine(written), line), `another line by its text: ${written}`);
  }
  const signing = keys.filter((line) => line.signing !== undefined);
  const read = readSigningLines(renderSigningLines(keys));
  holds(isDeepStrictEqual([...read.values()], signing), 'other lines for the agent that signs');
  const routed = keys.map(({ repositories }, number) => ({ fingerprint: `SHA256:${number}`, repositories }));
  checkRoutes(routed);
}

type Routed = Parameters<typeof renderRoutes>[0];

/** The shell reads the file line by line. */
function checkRoutes(keys: Routed): void {
  const text = renderRoutes(keys);
  const patterns = keys.flatMap(({ repositories }, key) =>
    repositories.length === 0
      ? [{ key, path: '' }]
      : repositories.map((one) => ({ key, ...one, port: one.port ?? 22 })),
  );
  const read = readRouteLines(text).map(({ key, repositories: [one] }) => ({ key, path: '', ...one }));
  holds(isDeepStrictEqual(read, patterns), `other routes: ${JSON.stringify(text)}`);
  holds(text.split('\n').length === patterns.length + 1, 'routes of more than one line');
  holds(
    readClaims(text).length === patterns.filter((one) => 'host' in one).length,
    'another number of claims',
  );
}

const linesTarget: Target = {
  name: 'keys',
  seeds: keyLines,
  near: fc.oneof(
    rowOf(lineWords, ' '),
    damaged(fc.constantFrom(...keyLines)),
    damaged(rowOf(lineWords, ' ')),
  ),
  read: readLines,
  secrets: (text) => [...text.matchAll(/passphrase=(hunter\w+)/g)].map(([, secret = '']) => secret),
};

const inputsTarget: Target = {
  name: 'inputs',
  seeds: [`keys=/ci/key\u0001aws-region=eu-west-1\u0001session-policy={"Version":"2012-10-17"}`],
  near: damaged(
    rowOf(
      [
        ...[
          'keys=/ci/key',
          'aws-region=eu-west-1,eu-central-1',
          'role-to-assume=arn:aws:iam::111122223333:role/r',
        ],
        ...[
          'session-policy={"Version":"2012-10-17","Statement":[]}',
          'custom-tags={"a":"b"}',
          'key-lifetime=1h',
        ],
        ...['max-attempts=3', 'timeout-seconds=9', 'allowed-account-ids=111122223333', 'role-session-name=x'],
        ...[
          'known-hosts=h ssh-rsa AAAA',
          'git-signing=true',
          'restrict-to-hosts=true',
          'summary=false',
          'audience=x',
        ],
        ...[
          'role-duration-seconds=900',
          'managed-session-policies=arn:aws:iam::aws:policy/P',
          'ssh-config=true',
        ],
      ],
      '\u0001',
    ),
  ),
  read: (text) => {
    const env = text.split('\u0001').map((one) => {
      const [name = '', ...value] = one.split('=');
      return [`INPUT_${name.toUpperCase()}`, value.join('=')];
    });
    parseInputs(Object.fromEntries(env) as Record<string, string>);
  },
};

const urls = [
  ...[
    'ssh://git@github.com:22/acme/lib.git',
    'git@github.com:acme/lib.git',
    'https://me:pw@h/x?token=t',
    'host',
  ],
  ...[
    'git+ssh://[::1]:22/x',
    'ext::sh -c id',
    'github.com/acme/*',
    '*.example.com:2222/a',
    'ec2-user@Name=web 1',
  ],
  ...[
    'i-0123456789abcdef0',
    'mi-0123456789abcdef0',
    'ssh://github.com/a@other.test',
    'http://[::ffff:1.2.3.4]/',
  ],
];

function readPattern(text: string): void {
  const pattern = parseRepositoryPattern(text);
  const again = parseRepositoryPattern(patternText(pattern));
  // A path that was decoded from a URL may have a percent sign: as a section it is written as it is.
  holds(isDeepStrictEqual(again, pattern), `another pattern by its text: ${patternText(pattern)}`);
  const remote = {
    ...pattern,
    path: pattern.path && `${pattern.path}.git`,
    host: pattern.host.replace('*', 'a'),
  };
  holds(matchRoutes([{ key: 1, repositories: [pattern] }], remote, 22).length === 1, 'does not match itself');
}

const patternTarget: Target = {
  name: 'repositories',
  seeds: urls,
  near: fc.oneof(
    damaged(fc.constantFrom(...urls)),
    rowOf(['github.com', '/', ':', '22', 'a', '*.', '@', '.git', '%20']),
  ),
  read: readPattern,
};

const password = /\w:\/\/[^\s/@:"']*:(hunter\w+)@/;

const urlTarget: Target = {
  name: 'urls',
  seeds: urls,
  near: damaged(fc.constantFrom(...urls, `https://me:hunter2secret@h/x`)),
  read: (text) => {
    for (const one of [shown(text), shownCommand(text)]) {
      holds(!acts.test(one), 'control characters in a text that is shown');
      const [, word = ''] = password.exec(text) ?? [];
      const isAlone = word !== '' && text.split(word).length === 2;
      holds(!isAlone || !one.includes(word), 'a password is shown');
    }
    if (!acts.test(text)) holds(shown(shown(text)) === shown(text), 'a text that was shown changes');
    isUrl(text);
    parseHostName(text);
    remoteOfUrl(text);
    parseTarget(text);
  },
};

export const nameTargets: readonly Target[] = [
  ...[referenceTarget, storageTarget, linesTarget, inputsTarget, patternTarget, urlTarget],
];
