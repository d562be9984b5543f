import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  changesBetween,
  parseCredentialLine,
  isOurs,
  settingsFor,
  type Wanted,
} from '../../helper/setup/plan.ts';
import { environmentLines } from '../../helper/setup/lines.ts';
import { canonicalName } from '../../src/git/listing.ts';
import { parseLines } from '../../src/keys/key-line.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { failureOf } from '../support/failure-of.ts';
import { itWith } from '../support/needs.ts';

const wanted = (lines: string, more: Partial<Wanted> = {}): Wanted => ({
  ...{
    keys: parseLines(lines).keys,
    credentials: [],
    helper: '/opt/git-credential-ssm',
    region: undefined,
    roles: [],
    ...{ via: undefined, keyLifetime: undefined, knownHosts: undefined },
  },
  ...{ sshCommand: '/opt/ssm-ssh', node: '/usr/bin/node', ...more },
});
const settings = (lines: string, more?: Partial<Wanted>, known: Record<string, string[]> = {}): object =>
  Object.fromEntries(settingsFor(wanted(lines, more), new Map(Object.entries(known))));
const always = { 'ssm.node': '/usr/bin/node', 'core.sshCommand': '/opt/ssm-ssh', 'ssh.variant': 'ssh' };

describe('the settings that setup writes', () => {
  it('name a default key', () => {
    expect(settings('/ci/key passphrase=/ci/p certificate=/ci/c')).toEqual({
      ...always,
      ...{ 'ssm.key': '/ci/key', 'ssm.passphrase': '/ci/p', 'ssm.certificate': '/ci/c' },
    });
  });

  it('name the keys of repositories, with one form of each repository', () => {
    const lines =
      '/ci/lib git@github.com:Acme/lib.git\n/ci/all https://github.com/acme/* git.example.com:2222';
    expect(settings(lines)).toMatchObject({
      'ssm.github.com/acme/lib.key': '/ci/lib',
      'ssm.github.com/acme.key': '/ci/all',
      'ssm.git.example.com:2222.key': '/ci/all',
      'ssm.github.com/acme/lib.passphrase': undefined,
    });
  });

  it('name a key in KMS, and how it may be used', () => {
    expect(settings('kms:alias/deploy unbound=allow uses=5 github.com/acme/lib')).toEqual({
      ...always,
      'ssm.github.com/acme/lib.key': 'kms:alias/deploy',
      'ssm.github.com/acme/lib.unbound': 'allow',
      'ssm.github.com/acme/lib.uses': '5',
    });
  });

  it('name a key that logs in by a certificate, and what the certificate allows', () => {
    const line =
      'new:ed25519 ca=kms:alias/ca principals=deploy,web valid=1h extensions=permit-pty source-address=192.0.2.0/24 force-command=rsync%20-a';
    expect(settings(line)).toEqual({
      ...always,
      ...{ 'ssm.key': 'new:ed25519', 'ssm.ca': 'kms:alias/ca', 'ssm.principals': 'deploy,web' },
      ...{ 'ssm.valid': '1h', 'ssm.extensions': 'permit-pty', 'ssm.sourceAddress': '192.0.2.0/24' },
      'ssm.forceCommand': 'rsync -a',
    });
  });

  it('take out the authority of a former key', () => {
    const former = new Map([['ssm.ca', ['kms:alias/ca']]]);
    const changes = changesBetween(former, settingsFor(wanted('/ci/key'), former));
    expect(changes).toContainEqual({ name: 'ssm.ca', value: undefined, among: undefined });
    expect(changes.map(({ name }) => name)).not.toContain('ssm.principals');
  });

  it('include the region, the roles and the lifetime', () => {
    const roles = ['arn:aws:iam::111122223333:role/a', 'arn:aws:iam::444455556666:role/b'];
    expect(settings('/ci/key', { region: 'eu-west-1', roles, keyLifetime: '15m' })).toMatchObject({
      ...{ 'ssm.region': 'eu-west-1', 'ssm.keyLifetime': '15m', 'ssm.roleArn': roles.join(',') },
    });
  });

  it('let git send the path to a host that has a credential', () => {
    const known = {
      'ssm.github.com/acme.credential': ['/ci/token'],
      'ssm.git.example.com:8443/a.b/c.credential': ['/ci/other'],
      'ssm.gitlab.com.key': ['/ci/key'],
    };
    expect(settings('/ci/key', {}, known)).toEqual({
      ...{ ...always, 'ssm.key': '/ci/key', 'ssm.passphrase': undefined, 'ssm.certificate': undefined },
      'credential.https://github.com.useHttpPath': 'true',
      'credential.https://git.example.com:8443.useHttpPath': 'true',
    });
  });

  it('do not depend on a section that names no repository', () => {
    const known = { 'ssm.a b.credential': ['/ci/token'], 'ssm.a b.key': ['/ci/other'] };
    expect(settings('/ci/key', {}, known)).toEqual(settings('/ci/key'));
  });

  it.each(['true', 'True', 'yes', 'on', '1'])('are not written again where git has %s', (value) => {
    const name = 'credential.https://github.com.useHttpPath';
    const known = new Map([[canonicalName(name), [value]]]);
    expect(changesBetween(known, new Map([[name, 'true']]))).toEqual([]);
  });

  it.each(['', 'false', 'no', '0', 'maybe'])('are written where git has "%s"', (value) => {
    const name = 'credential.https://github.com.useHttpPath';
    const known = new Map([[canonicalName(name), [value]]]);
    expect(changesBetween(known, new Map([[name, 'true']]))).toHaveLength(1);
  });

  it.each([
    ['the last of two values is the wanted one', 'ssm.region', ['eu-west-2', 'eu-west-1'], []],
    ['the last of two values is another one', 'ssm.region', ['eu-west-1', 'eu-west-2'], ['ssm.region']],
    ['all roles count', 'ssm.roleArn', ['eu-west-2', 'eu-west-1'], ['ssm.roleArn']],
    ['the only role is the wanted one', 'ssm.roleArn', ['eu-west-1'], []],
  ])('are written or not: %s', (...[, name, there, written]) => {
    const known = new Map([[canonicalName(name), there]]);
    const changes = changesBetween(known, new Map([[name, 'eu-west-1']]));
    expect(changes.map((change) => change.name)).toEqual(written);
  });

  it('name a credential and its helper, and let git send the path', () => {
    const credentials = [
      '/ci/token github.com/acme https://git.example.com:8443',
      '/ci/b username=bot gitlab.com',
    ];
    expect(settings('', { credentials: credentials.map(parseCredentialLine) })).toEqual({
      'ssm.node': '/usr/bin/node',
      'ssm.github.com/acme.credential': '/ci/token',
      'ssm.github.com/acme.username': undefined,
      'ssm.git.example.com:8443.credential': '/ci/token',
      'ssm.git.example.com:8443.username': undefined,
      'ssm.gitlab.com.credential': '/ci/b',
      'ssm.gitlab.com.username': 'bot',
      ...Object.fromEntries(
        ['github.com', 'git.example.com:8443', 'gitlab.com'].flatMap((host) => [
          [`credential.https://${host}.helper`, '/opt/git-credential-ssm'],
          [`credential.https://${host}.useHttpPath`, 'true'],
        ]),
      ),
    });
  });

  it.each([
    '/ci/token',
    '/ci/token username=bot',
    '/ci/token user=bot github.com',
    '/ci/token username= github.com',
  ])('refuse a credential without a host, and unknown options: %s', (line) => {
    expect(failureOf(() => parseCredentialLine(line)).code).toBe('INPUT_INVALID');
  });

  it('refuse two credentials for the same repository', () => {
    const credentials = ['/ci/a github.com/acme', '/ci/b GitHub.com/Acme'].map(parseCredentialLine);
    expect(failureOf(() => settings('', { credentials })).message).toBe(
      'two credentials are for github.com/acme',
    );
  });

  it('refuse two keys for the same repository', () => {
    expect(failureOf(() => settings('/a\n/b')).message).toBe('two keys are for every other repository');
    const same = '/a github.com/acme\n/b github.com/acme/*';
    expect(failureOf(() => settings(same)).message).toBe('two keys are for github.com/acme');
  });
});

describe('an ssh command', () => {
  it.each(['ssm-ssh', '/usr/lib/node_modules/ssm-ssh-agent/helper/ssm-ssh', "'/a b/helper/ssm-ssh'"])(
    'is ours: %s',
    (text) => {
      expect(isOurs(text)).toBe(true);
    },
  );
  it.each([
    ...['ssh', 'ssh -i ~/.ssh/ssm-ssh-key', '/opt/not-ssm-ssh', 'ssh -o ProxyCommand=x', 'ssm-ssh -v'],
    ...['/home/me/bin/ssm-ssh', "'/my tools/ssm-ssh'"],
  ])('is not ours: %s', (text) => {
    expect(isOurs(text)).toBe(false);
  });
});

describe('a name of a setting', () => {
  it.each([
    ['core.sshCommand', 'core.sshcommand'],
    ['SSM.GitHub.com/A.B.Key', 'ssm.GitHub.com/A.B.key'],
    ['credential.https://github.com.useHttpPath', 'credential.https://github.com.usehttppath'],
  ])('%s is listed by git as %s', (name, listed) => {
    const folder = mkdtempSync(join(tmpdir(), 'names-'));
    try {
      const file = join(folder, 'config');
      execFileSync('git', ['config', '--file', file, name, 'x']);
      const names = execFileSync('git', ['config', '--file', file, '--list', '--name-only'], {
        encoding: 'utf8',
      });
      expect([canonicalName(name), names.trim()]).toEqual([listed, listed]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the lines for other files', () => {
  it('have no quotes if the path needs none', () => {
    const lines = environmentLines('/opt/helper/ssm-ssh').split('\n');
    expect(lines.filter((line) => line === 'GIT_SSH_COMMAND=/opt/helper/ssm-ssh').length).toBe(2);
    expect(lines).toContain('Environment="GIT_SSH_COMMAND=/opt/helper/ssm-ssh"');
  });

  it.each(['/a b/ssm-ssh', "/it's/ssm-ssh", '/100%/ssm-ssh'])(
    'quote the path so that a shell finds the program: %s',
    (path) => {
      const lines = environmentLines(quoteForShell(path)).split('\n');
      const [, runner = ''] = lines.filter((line) => line.startsWith('GIT_SSH_COMMAND='));
      const value = runner.slice('GIT_SSH_COMMAND='.length);
      const { stdout } = spawnSync('/bin/sh', ['-c', `printf %s ${value}`], { encoding: 'utf8' });
      expect(stdout).toBe(path);
    },
  );

  itWith('systemd-analyze')('are a drop-in that systemd accepts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'unit-'));
    try {
      const file = join(folder, 'x.service');
      const [, dropIn = ''] = environmentLines("'/it is 100%/ssm-ssh'").split('[Service]\n');
      writeFileSync(file, `[Service]\nExecStart=/bin/true\n${dropIn}`);
      const { stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
      expect(stderr.split('\n').filter((line) => line.includes('x.service'))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
