/** Lines of `keys` with a valid reference and a mistake after it; key text instead of a line; the line number in errors. */
import type { SshKey } from '../ssh-keys.ts';
import { bodyOf } from '../stored-forms.ts';
import { wrongKeys, type BadInput, type Row } from './bad-input.ts';

const form = 'write REFERENCE [passphrase=REFERENCE]';
const twice = 'is set twice';
const noName = 'passphrase= is not followed by the name of a parameter or secret';
const noCertificate = 'certificate= is not followed by the name of a parameter or secret';
const noOption = 'a word with "=" is not an option';

const behind = (rows: readonly Row[]): BadInput[] =>
  wrongKeys(rows.map(([what, words, ...rest]) => [what, `/ci/key ${words}`, ...rest] as const));

const options = behind([
  ['an unknown option', 'color=red', 'unknown option "color"', form],
  ['an option with a typing error', 'passfrase=/ci/passphrase', 'unknown option "passfrase"', form],
  ['an option of the agent', 'lifetime=1h github.com/acme', 'unknown option "lifetime"', form],
  ['an option in capitals', 'PASSPHRASE=/ci/passphrase', noOption, form],
  ['an option with spaces around', 'passphrase = /ci/passphrase', noOption, form],
  ['an address with a query', 'github.com/acme/lib?ref=main', noOption, form],
  ['two passphrases', 'passphrase=/ci/a passphrase=/ci/b', `"passphrase" ${twice}`, form],
  ['as= something else', 'as=token', 'as= can only be "key" or "github-app"', form],
  ['as= nothing', 'as=', 'as= can only be "key" or "github-app"', form],
  ...(
    [
      ['an App and no repository', '', 'as=github-app names no repository'],
      ['an App and a whole host', 'github.com', '"github.com" is not an owner or a repository'],
      ['an App and a part of a repository', 'github.com/a/b/c', '"github.com/a/b/c" is not an owner'],
      ['an App and hosts of any name', '*.example.com/acme', 'a token is for one host'],
    ] as const
  ).map(([what, words, says]) => [what, `as=github-app ${words}`, says, 'github.com/OWNER/REPO'] as const),
  [
    'an App with a passphrase',
    'as=github-app passphrase=/ci/p github.com/acme',
    'passphrase= cannot be used with as=github-app',
    'remove passphrase=',
  ],
  [
    'an App with a certificate',
    'github.com/acme certificate=/ci/c as=github-app',
    'certificate= cannot be used with as=github-app',
    'remove certificate=',
  ],
  ...(
    [
      ['no passphrase behind passphrase=', 'passphrase= github.com/acme'],
      ['a passphrase without its first slash', 'passphrase=ci/passphrase'],
      ['a passphrase with a slash behind', 'passphrase=/ci/passphrase/'],
      ['a passphrase in a secret without a name', 'passphrase=secretsmanager:'],
      ['the passphrase itself', 'passphrase=hunter2!'],
    ] as const
  ).map(([what, words]) => [what, words, noName, 'write passphrase=/NAME'] as const),
  [
    'the certificate itself',
    'certificate=ssh-ed25519-cert-v01@openssh.com',
    noCertificate,
    'certificate=/NAME',
  ],
  ['two certificates', 'certificate=/ci/a certificate=/ci/b', `"certificate" ${twice}`, form],
]);

const noHost = 'does not begin with a host';
const hostForm = 'write host/owner/repository, for example github.com/acme/lib';
const noPort = 'has no port after its colon';
const noPart = 'has an empty part between slashes';
const star = 'has a * inside its path';
const starForm = 'a * is only allowed as the last part: host/owner/*';

const repositories = behind([
  ['every host', '*', `the repository "*" ${noHost}`, hostForm],
  ['a star in a label', 'git*.example.com', noHost, hostForm],
  ['a repository without its host', '/acme/lib', `"/acme/lib" ${noHost}`, hostForm],
  ['a second name on the line', '/ci/another', `"/ci/another" ${noHost}`, hostForm],
  ['a comment behind the key', '# for acme/lib', 'a comment follows the key', 'on a separate line'],
  [
    'a comment behind a repository',
    'github.com/acme/lib #ours',
    'a comment follows the key',
    'a separate line',
  ],
  [
    'a second key behind a repository',
    'github.com/acme/lib ssm:/ci/b',
    `"ssm:/ci/b" ${noHost}`,
    'each key on a separate line',
  ],
  [
    'a second key as an ARN',
    'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/b',
    noHost,
    'each key on a separate line',
  ],
  ['a host that ends in a dot', 'example.com./x', noHost, hostForm],
  ['a host beyond ASCII', 'b\u00FCcher.example/x', noHost, hostForm],
  ['a folder', 'file:///srv/git/x.git', noHost, hostForm],
  ['an IPv6 address without brackets', '::1/x', noHost, hostForm],
  ['an owner behind a colon', 'github.com:acme/lib', noPort, 'write host:port/path, or host/path'],
  ['a port that is a word', 'ssh://git@example.com:ssh/x', noPort, 'write host:port/path'],
  ['port 0', 'example.com:0/x', 'has a port out of range', 'ports are 1 to 65535'],
  ['a port that is too large', 'example.com:65536/x', 'has a port out of range', 'ports are 1 to 65535'],
  ['a star for the owner', 'github.com/*/lib', star, starForm],
  ['a star behind letters', 'github.com/acme/lib-*', star, starForm],
  ['two slashes', 'github.com/acme//lib', noPart, 'write host/owner/repository'],
  ['.git and nothing before it', 'github.com/.git', noPart, 'write host/owner/repository'],
]);

const keyText = 'this is the text of a key instead of its name in Parameter Store';
const replaced = 'store the key with aws ssm put-parameter, write its name here, and replace the key';

/** Pasted keys: the error must not repeat any of their text. */
function pasted({ privateKey, publicKey }: SshKey): BadInput[] {
  const base64 = Buffer.from(privateKey).toString('base64');
  const forms: [string, string][] = [
    ['the text of a key', privateKey],
    ['the text of a key in one line', privateKey.replaceAll('\n', '\\n')],
    ['the text of a key in quotes', `"${privateKey}"`],
    ['the BEGIN line of a key', privateKey.split('\n')[0] ?? ''],
    ['the base64 of a key', base64],
    ['the base64 inside a key', bodyOf(privateKey)],
    ['the base64 of a key behind a name', `/ci/key ${base64}`],
    ['the base64 of a key as a passphrase', `/ci/key passphrase=${base64}`],
    ['a public key', publicKey],
  ];
  return wrongKeys(forms.map(([what, text]) => [what, text, keyText, replaced] as const));
}

const inLine = (number: number, what: string, keys: string): BadInput => ({
  what: `keys: ${what}`,
  given: { keys },
  code: 'INPUT_INVALID',
  names: `keys, line ${number}: `,
  says: '"ci/wrong" is a path without a slash at its start',
  hint: 'write /ci/wrong',
});

const lines = [
  inLine(1, 'the only line', 'ci/wrong'),
  inLine(2, 'the last line, without a line end', '/ci/key\nci/wrong'),
  inLine(3, 'behind CRLF', '/ci/key\r\n\r\nci/wrong\r\n'),
  inLine(2, 'behind CR alone', '/ci/key\rci/wrong\r'),
  inLine(4, 'behind blank lines at the beginning', '\n \n/ci/key\nci/wrong\n'),
  inLine(5, 'behind comments and blank lines', '# one\n/ci/key\n\n  # two\n  ci/wrong'),
  inLine(1, 'two wrong lines, of which the first is named', 'ci/wrong\nci/wrong-too'),
];

export function badKeyLines(key: SshKey): BadInput[] {
  return [...options, ...repositories, ...pasted(key), ...lines];
}
