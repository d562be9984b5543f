/** git's side: configuration, settings and what they are compiled to, the credential protocol, stored credentials. */
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../../../src/errors.ts';
import { headerOf, linesOfSetting, quotedValue, sectionsOf } from '../../../src/git/config-text.ts';
import { parseRequest, renderCredential, type Credential } from '../../../src/git/credential.ts';
import { helpersFor, sendsPath } from '../../../src/git/credential-settings.ts';
import {
  canonicalName,
  parseScoped,
  parseUnscoped,
  parseWithOrigins,
  settingsIn,
  type ScopedSetting,
} from '../../../src/git/listing.ts';
import { readNamedCredential } from '../../../src/git/named-credential.ts';
import {
  folderOf,
  nameOf,
  parseEntry,
  placeOf,
  renderEntry,
  toBeStored,
} from '../../../src/git/store-entry.ts';
import { compile, textOf } from '../../../src/host/compile.ts';
import { chooseRoute, readRoutes } from '../../../src/host/credential-routes.ts';
import { bringsKey } from '../../../src/host/foreign-command.ts';
import { hostLine } from '../../../src/host/host-line.ts';
import { renderAnswer, renderKept } from '../../../src/host/shell-answer.ts';
import { membersOf, pickField } from '../../../src/keys/json-secret.ts';
import { setMember } from '../../../src/keys/json-member.ts';
import { parseReference, type SecretReference } from '../../../src/keys/reference.ts';
import { isGitHubApp, parseGitHubApp } from '../../../src/github/app.ts';
import { anyJson, damaged, jsonNear, rowOf } from '../hostile.ts';
import { holds, marker, type Target } from '../target.ts';

const configWords = [
  ...[
    '[ssm]\n',
    '[ssm "github.com/acme"]\n',
    '[core]',
    '\tkey = /ci/key\n',
    ' key\n',
    'sshCommand = "ssh -i x" ; c\n',
  ],
  ...['a = b \\\n c\n', '# x\n', '"', '\\"', '\\t', '\\', '\r\n', '[a.b]\n', '[ssm "a\\"b"] k=v\n', ' = \n'],
];

const configTarget: Target = {
  name: 'git-configuration',
  seeds: [
    '[ssm "github.com/acme"]\n\tkey = /ci/key # x\n\tregion\n[core]\n sshCommand = "a \\"b\\" c" \\\n d\n',
  ],
  near: fc.oneof(rowOf(configWords), damaged(rowOf(configWords))),
  read: (text) => {
    for (const { name, entries } of sectionsOf(text).slice(0, 5)) {
      for (const entry of entries.slice(0, 5)) {
        holds(
          linesOfSetting(text, entry.name).includes(entry.first + 1),
          `the line of ${name} is another one`,
        );
        checkWritten(entry.name, entry.value ?? '');
      }
    }
  },
};

/** What setup writes is read as it was meant. A line feed in a subsection cannot be written. */
function checkWritten(name: string, value: string): void {
  if (/^\.|[\n\0]/.test(name) || value.includes('\0')) return;
  const written = `${headerOf(name)}\n\t${name.slice(name.lastIndexOf('.') + 1)} = ${quotedValue(value)}\n`;
  const read = sectionsOf(written).flatMap(({ entries }) => entries);
  const shown = read.map((entry) => [entry.name, entry.value]);
  // git reads CR LF as LF.
  holds(
    isDeepStrictEqual(shown, [[name, value.replaceAll('\r\n', '\n')]]) || value.includes('\r'),
    `another setting: ${JSON.stringify(written)}`,
  );
}

const settingWords = [
  ...['global', 'local', 'command', 'system', 'worktree', 'file:/etc/gitconfig', 'command line:', '\0', '\n'],
  ...[
    'ssm.key\n/ci/key',
    'ssm.github.com/acme.key\n/ci/key',
    'core.sshcommand\nssh -i x',
    'ssm.region\neu-west-1',
  ],
  ...[
    'ssm.*.example.com.key\nkms:alias/a',
    'ssm.ca\nkms:alias/ca',
    'ssm.principals\nx',
    'ssm.via\ndirect',
    'ssm.key',
  ],
  ...[
    'ssm.github.com.credential\n/ci/token',
    'ssm.github.com.username\nme',
    'credential.helper\nssm',
    'ssm.rolearn\na',
  ],
  ...['credential.https://github.com.usehttppath\ntrue', 'ssm.ec2remotes\ntrue', 'ssm.keylifetime\n1h'],
];

const byGit = { byGit: true, jobRegion: '' };

function checkCompiled(entries: readonly ScopedSetting[]): void {
  const env = { HOME: '/home/me' };
  const compiled = compile({ entries }, env, byGit);
  // A repository chooses stored keys alone, and no rules for them.
  for (const key of compiled.keys) {
    holds(key.isProtected || key.options.size === 0, 'a repository chose options of a key');
    holds(key.isProtected || !key.signs, 'a repository chose a key that signs');
  }
  const text = textOf({ entries, scoped: true }, env, byGit);
  holds(
    text === undefined || !entries.some(({ value }) => value === marker),
    'a token is in the file of compiled settings',
  );
  const answer = renderAnswer(compiled, '/run/user/0/ssm-ssh-agent-0');
  checkQuoted(text === undefined ? answer : renderKept(text, answer));
}

/** Everything between two quotes is text for the shell; outside of them only our own words stand. */
function checkQuoted(script: string): void {
  const bare = script.replaceAll("'\\''", '').replace(/'[^']*'/g, "''");
  const odd = bare
    .split('\n')
    .find((line) => !/^(?:_ssm_set_\w+=''|case \$_ssm_text in|''\)|_ssm_set_found=1|;;|esac|)$/.test(line));
  holds(odd === undefined, `a line of shell code that is not ours: ${odd ?? ''}`);
}

const settingsTarget: Target = {
  name: 'settings',
  seeds: [
    'global\0ssm.key\n/ci/key\0local\0ssm.github.com/acme.key\n/ci/lib\0command\0core.sshcommand\nssh -i x\0',
  ],
  near: fc.oneof(
    rowOf(settingWords, '\0'),
    fc
      .array(fc.tuple(fc.constantFrom('global', 'local', 'command'), rowOf(settingWords.slice(9))), {
        maxLength: 5,
      })
      .map((all) => all.map(([scope, entry]) => `${scope}\0${entry}\0`).join('')),
  ),
  read: (text) => {
    parseWithOrigins(text);
    parseUnscoped(text, 'protected');
    // git says the scope, and nobody chooses it.
    const entries = parseScoped(text).filter(({ scope }) => /^[a-z]*$/.test(scope));
    for (const { name } of entries) canonicalName(name);
    checkCompiled(entries);
    const place = { host: 'github.com', path: '/acme/lib.git' };
    helpersFor(place, entries);
    sendsPath(place, entries);
    for (const { value } of entries) bringsKey(value ?? '', value);
    const { routes } = readRoutes(settingsIn(entries), {});
    chooseRoute(routes, { protocol: 'https', host: 'github.com', path: 'acme/lib.git' });
    for (const key of compile({ entries }, {}, byGit).keys) hostLine(key);
  },
};

const requestWords = [
  ...[
    'protocol=https\n',
    'host=github.com\n',
    'path=acme/lib.git\n',
    'username=me\n',
    'password=hunter2secret\n',
    '\n',
  ],
  ...[
    'capability[]=authtype\n',
    'wwwauth[]=Basic\n',
    'password_expiry_utc=1\n',
    'authtype=Bearer\n',
    'credential=x\n',
  ],
  ...[
    'ephemeral=1\n',
    'host=github.com:443\n',
    'host=[::1]:8443\n',
    'path=a/../b\n',
    'url=https://x\n',
    'capability[]=\n',
  ],
];

const requestTarget: Target = {
  name: 'credential-requests',
  seeds: ['protocol=https\nhost=github.com\npath=acme/lib.git\nusername=me\ncapability[]=authtype\n\n'],
  near: fc.oneof(rowOf(requestWords), damaged(rowOf(requestWords))),
  secrets: () => ['hunter2secret'],
  read: (text) => {
    const request = parseRequest(Buffer.from(text));
    if (!request) return;
    const { capability, wwwauth, state, ...credential } = request;
    holds([capability, wwwauth, state].every(Array.isArray), 'a list is missing');
    const again = parseRequest(Buffer.from(renderCredential(credential, '/x')));
    holds(
      isDeepStrictEqual({ ...again, capability, wwwauth, state }, request),
      'another request by its text',
    );
    const routes = readRoutes(new Map([['ssm.github.com/acme.credential', ['/ci/t']]]), {});
    const { named } = chooseRoute(routes.routes, request);
    if (named)
      holds(/^github\.com(:443)?$/i.test(request.host ?? '') && request.protocol === 'https', 'another host');
    checkStored(request);
  },
};

function checkStored(request: NonNullable<ReturnType<typeof parseRequest>>): void {
  const place = placeOf(request);
  if (!place) return;
  const name = nameOf('/p', place);
  holds(/^\/p(\/[A-Za-z0-9_.-]+){4}$/.test(name), `the name ${name}`);
  holds(name.startsWith(folderOf('/p', { username: undefined, ...place })), 'another folder');
  const credential = toBeStored(request, 0);
  if (credential)
    holds(isDeepStrictEqual(parseEntry(renderEntry(credential, name), name), credential), 'another entry');
}

const tokens = fc.constantFrom(
  'hunter2secret',
  'x',
  '1700000000',
  'x-access-token',
  'https',
  'github.com',
  'Bearer',
);
const members = {
  ...{
    username: tokens,
    password: tokens,
    password_expiry_utc: tokens,
    oauth_refresh_token: tokens,
    host: tokens,
  },
  ...{
    authtype: tokens,
    credential: tokens,
    protocol: tokens,
    path: tokens,
    app_id: fc.nat(),
    client_id: tokens,
  },
  ...{ private_key: tokens, installation_id: fc.nat(), repositories: fc.array(tokens), permissions: anyJson },
  api_url: fc.constantFrom('https://api.github.com', 'http://127.0.0.1:1/', 'http://x', 'https://a:b@c/'),
};

const storedTarget: Target = {
  name: 'stored-credentials',
  seeds: [
    'hunter2secret',
    '{"username": "me", "password": "hunter2secret", "password_expiry_utc": 1700000000}',
  ],
  near: fc.oneof(jsonNear(members), damaged(fc.constant('hunter2secret'))),
  secrets: () => ['hunter2secret'],
  read: (text) => {
    const all = [
      () => (isGitHubApp(text) ? parseGitHubApp(text, '/ci/app') : undefined),
      () => parseEntry(text, '/p/https/x'),
      () => pickField(text, parseReference('secretsmanager:ci/x:password') as SecretReference),
      () => {
        checkLines(readNamedCredential({ text, resource: '/ci/token' }, 0));
      },
    ];
    const errors = all.flatMap((one) => failureOfCall(one));
    const changed = setMember(text, 'password', marker);
    if (changed !== undefined)
      holds(membersOf(changed)?.get('password') === marker, 'another member was set');
    const first = errors.find((error) => !(error instanceof Failure)) ?? errors[0];
    if (first) throw first;
  },
};

function checkLines(credential: Credential): void {
  const lines = renderCredential(credential, '/ci/token').split('\n');
  holds(
    lines.every((line) => line === '' || /^[a-z_]+(\[\])?=/.test(line)),
    'a line that git would read otherwise',
  );
}

/** Each reader of a stored value is tried, and one of their errors is looked at. */
function failureOfCall(call: () => unknown): Error[] {
  try {
    call();
    return [];
  } catch (error) {
    return [error as Error];
  }
}

export const gitTargets: readonly Target[] = [configTarget, settingsTarget, requestTarget, storedTarget];
