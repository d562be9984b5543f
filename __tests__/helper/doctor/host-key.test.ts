import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkHostKey, readHostKeys, type HostKeyCheck } from '../../../helper/doctor/host-key.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';

describe('the key of a git host', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'host-key-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const check = (more: Partial<HostKeyCheck>): Promise<Finding> =>
    checkHostKey({
      ...{
        check: 'host key',
        remote: { host: 'github.com', path: 'a/b' },
        file: '',
        strict: '',
        entries: [],
      },
      ...{ env: { PATH: folder, HOME: folder }, signal: new AbortController().signal, ...more },
    });

  it('is checked without ssh, too: another check says that there is none', async () => {
    expect(() => execFileSync('ssh', ['-V'], { env: { PATH: folder } })).toThrow('ENOENT');
    expect(await check({})).toMatchObject({ status: 'ok' });
  });

  it.each([
    ['yes', 'fail', /^KNOWN_HOSTS_INVALID: /],
    ['', 'fail', /^KNOWN_HOSTS_INVALID: /],
    ['accept-new', 'warn', /: ssh accepts the first one that it sees$/],
    ['no', 'warn', /: ssh accepts any$/],
  ])('that nobody knows, with strict checking "%s", is %s', async (strict, status, detail) => {
    const remote = { host: 'git.example.com', path: 'a/b' };
    expect(await check({ remote, strict })).toMatchObject({ status, detail: expect.stringMatching(detail) });
  });

  it('may be in a file of the home folder', async () => {
    const mine = mkdtempSync(join(userInfo().homedir, '.host-key-'));
    try {
      writeFileSync(join(mine, 'known_hosts'), '# mine\n');
      const name = mine.slice(userInfo().homedir.length + 1);
      expect(await readHostKeys(`~/${name}/known_hosts`)).toBe('# mine\n');
    } finally {
      rmSync(mine, { recursive: true });
    }
  });

  it('is said to be unset where it is named if the file cannot be read', async () => {
    const config = join(folder, 'my config');
    const file = join(folder, 'my hosts');
    const source = { name: 'ssm.knownHosts', scope: 'global', file: config, line: 2 };
    const entry = { name: 'ssm.knownhosts', value: file, scope: 'global', source, isWritable: true };
    expect(await check({ file, entries: [entry] })).toMatchObject({
      status: 'fail',
      detail: `KNOWN_HOSTS_INVALID: ssm.knownHosts (${config} line 2) names ${file}, which cannot be read`,
      remedy: `git config --file '${config}' --unset-all ssm.knownHosts`,
    });
  });
});
