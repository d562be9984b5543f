import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseLines } from '../../src/keys/key-line.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { renderSshConfig } from '../../src/ssh/ssh-config.ts';
import { attacks, lookalikes } from '../support/ec2-host-names.ts';

describe('the block of ~/.ssh/config, read by ssh', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ssh-config-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const lines = [
    '/0 github.com/acme/lib',
    '/1 github.com/acme/tools git.example.com:2222',
    '/2 *.example.com',
    '/3',
    '/4 *.example.com:2222/a',
  ];

  /** The output of `ssh -G` with a configuration that begins with the block. */
  const ask = (
    args: readonly string[],
    {
      keys = lines,
      temp = '/temp',
      env = {},
      ec2 = true,
    }: { keys?: readonly string[]; temp?: string; env?: object; ec2?: boolean } = {},
  ): { offered: string[]; settings: Record<string, string> } => {
    const files = parseLines(keys.join('\n')).keys.map(({ repositories, certificate }, number) => ({
      publicKey: `${temp}/use/keys/${number}.pub`,
      certificate: certificate && `${temp}/use/keys/${number}-cert.pub`,
      repositories,
    }));
    const options = {
      temp,
      socket: `${temp}/use/agent`,
      knownHosts: `${temp}/use/known_hosts`,
      strictHostKeyChecking: 'yes',
      ...(ec2 && {
        ec2: {
          proxy: `${quoteForShell(`${temp}/use/bin/ssm-ssh-agent`)} proxy`,
          socket: `${temp}/use/ec2/agent`,
          knownHosts: `${temp}/use/ec2/known_hosts`,
        },
      }),
    };
    const file = join(folder, 'config');
    writeFileSync(file, [...renderSshConfig(files, options), 'User theirs', ''].join('\n'));
    const { stdout, stderr } = spawnSync('ssh', ['-F', file, '-G', ...args], {
      env: { PATH: process.env['PATH'], RUNNER_TEMP: temp, ...env },
      encoding: 'utf8',
      input: '',
    });
    expect(stderr.replace(/^Pseudo-terminal.*\r?\n/gm, '')).toBe('');
    const said = stdout
      .split('\n')
      .map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)]);
    return {
      offered: said.flatMap(([name, value = '']) =>
        name === 'identityfile' && value.includes('/use/') ? [/(\d+)\.pub$/.exec(value)?.[1] ?? ''] : [],
      ),
      settings: Object.fromEntries(said) as Record<string, string>,
    };
  };

  it.each<[string, string[], string[]]>([
    ['all keys of a host, in order', ['github.com'], ['0', '1']],
    ['the same for a host in upper case', ['GitHub.COM'], ['0', '1']],
    ['the same for any user', ['git@github.com'], ['0', '1']],
    ['the default key at another port', ['-p', '443', 'github.com'], ['3']],
    ['the keys of a port', ['-p', '2222', 'git.example.com'], ['1']],
    ['a wildcard', ['git.example.com'], ['2']],
    ['a wildcard with a port', ['-p', '2222', 'other.example.com'], ['4']],
    ['the default key elsewhere', ['host.test'], ['3']],
    ['the default key for the parent domain of a wildcard', ['example.com'], ['3']],
    ['the default key to a host whose name only looks like an id', ['i-server01'], ['3']],
    ['the same at a port of other keys', ['-p', '2222', 'i-server01'], ['3']],
    ['the keys of a host whose name only looks like an id', ['i-x.example.com'], ['2']],
    ['no key to an EC2 host', ['ec2-user@i-0123456789abcdef0'], []],
    ['no key to an EC2 host at a port of other keys', ['-p', '2222', 'i-0123abcd'], []],
    ['no key to an EC2 host with a tag', ['Name=web-1'], []],
  ])('offers %s', (_, args, offered) => {
    expect(ask(args).offered).toEqual(offered);
  });

  it.each(['i-0123abcd', 'I-0123ABCD', 'i-0123456789abcdef0', 'mi-0123456789abcdef0'])(
    'connects %s through the tunnel, with a separate key and separate host keys',
    (host) => {
      const { settings } = ask(['-p', '2222', `ec2-user@${host}`]);
      expect(settings).toMatchObject({
        proxycommand: "/temp/use/bin/ssm-ssh-agent proxy -- '%n' %p '%r'",
        identityagent: '/temp/use/ec2/agent',
        identitiesonly: 'no',
        identityfile: 'none',
        userknownhostsfile: '/temp/use/ec2/known_hosts',
        stricthostkeychecking: 'accept-new',
      });
    },
  );

  it.each(attacks)('does not run the user name %s from a submodule’s URL', (user) => {
    const program = join(folder, 'program');
    writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" >'${folder}/words'\n`, { mode: 0o755 });
    const [ec2, named] = ['i-0123456789abcdef0', 'i-01234567'];
    const keys = parseLines(`/0 ${named}`).keys.map(({ repositories }) => ({
      publicKey: '/k.pub',
      repositories,
    }));
    const access = { proxy: `${program} proxy`, socket: '/a', knownHosts: '/k' };
    const file = join(folder, 'config');
    const options = { temp: '/t', socket: '/s', knownHosts: '/h', strictHostKeyChecking: 'yes', ec2: access };
    // Before the block, ssh takes it unchecked; on the command line some versions refuse it (CVE-2023-51385).
    writeFileSync(file, `User "${user}"\n${renderSshConfig(keys, options).join('\n')}\n`);
    for (const [host, more] of [
      [ec2, `${user}\n`],
      [named, ''],
    ] as const) {
      rmSync(join(folder, 'words'), { force: true });
      const args = ['-F', file, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=1', host];
      spawnSync('ssh', args, { cwd: folder, env: { PATH: process.env['PATH'], RUNNER_TEMP: '/t' } });
      expect(existsSync(join(folder, 'touched'))).toBe(false);
      const words = existsSync(join(folder, 'words')) ? readFileSync(join(folder, 'words'), 'utf8') : '';
      expect(words).toBe(user.includes("'") ? '' : `proxy\n--\n${host}\n22\n${more}`);
    }
  });

  it.each([
    ['a name that only begins like an id', 'i-web', true],
    ...lookalikes.map(
      (name) => ['a name that only looks like an id', name, true] as [string, string, boolean],
    ),
    ['a tag', 'Name=web-1', true],
    ['an EC2 host without a role', 'i-0123456789abcdef0', false],
  ])('has no tunnel for %s', (_, host, ec2) => {
    expect(ask([host], { ec2 }).settings).not.toHaveProperty('proxycommand');
  });

  it('offers an EC2 host its own key through the tunnel, and pushes no other one', () => {
    const { offered, settings } = ask(['i-0123456789abcdef0'], { keys: ['/0 i-0123456789abcdef0', '/1'] });
    expect(offered).toEqual(['0']);
    expect(settings['identityagent']).toBe('/temp/use/agent');
    expect(settings['proxycommand']).toMatch(/ proxy -- '%n' %p$/);
    expect(settings['userknownhostsfile']).toBe('/temp/use/ec2/known_hosts');
  });

  it('offers a certificate with its key', () => {
    const { settings } = ask(['host.test'], { keys: ['/0 certificate=/c host.test'] });
    expect(settings['certificatefile']).toBe('/temp/use/keys/0-cert.pub');
  });

  it.each(['/temp', "/Runner's work/50% %h", '/a\\b', '/temp*'])(
    'matches only in its own job, in %s',
    (temp) => {
      const { offered, settings } = ask(['github.com'], { temp });
      expect(offered).toEqual(['0', '1']);
      expect(settings).toMatchObject({ identityagent: `${temp}/use/agent`, identitiesonly: 'yes' });
      const host = ask(['i-0123abcd'], { temp }).settings;
      expect(host['identityagent']).toBe(`${temp}/use/ec2/agent`);
      const [, program = ''] = /^(.*) proxy -- '%n' %p '%r'$/.exec(host['proxycommand'] ?? '') ?? [];
      const shown = execFileSync('sh', ['-c', `printf %s ${program.replaceAll('%%', '%')}`]);
      expect(shown.toString()).toBe(`${temp}/use/bin/ssm-ssh-agent`);
      for (const other of [`${temp}2`, '', '/']) {
        expect(ask(['github.com'], { temp, env: { RUNNER_TEMP: other } }).offered).toEqual([]);
      }
    },
  );

  it('does not match if helper/ssm-ssh has chosen the key', () => {
    const { offered, settings } = ask(['github.com'], { env: { SSM_SSH_ROUTED: '1' } });
    expect([offered, settings['userknownhostsfile']]).toEqual([[], expect.not.stringContaining('/use/')]);
  });

  it('does not affect later lines of the file', () => {
    expect(ask(['github.com'], { env: { RUNNER_TEMP: '/other' } }).settings['user']).toBe('theirs');
  });

  it('requires the job’s known keys for every host', () => {
    const { settings } = ask(['host.test'], { keys: ['/0 github.com'] });
    expect(settings['userknownhostsfile']).toMatch(/^\/temp\/use\/known_hosts /);
    expect(settings['stricthostkeychecking']).toBe('true');
  });
});
