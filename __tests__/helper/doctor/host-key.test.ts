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
      ...{ check: 'host key', remote: { host: 'github.com', path: 'a/b' }, file: '', strict: '' },
      ...{ env: { PATH: folder, HOME: folder }, signal: new AbortController().signal, ...more },
    });

  it('is checked without ssh, too: another check says that there is none', async () => {
    expect(() => execFileSync('ssh', ['-V'], { env: { PATH: folder } })).toThrow('ENOENT');
    expect(await check({})).toMatchObject({ status: 'ok' });
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

  it('names the file as a word of sh if it cannot be read', async () => {
    const { status, remedy } = await check({ file: join(folder, 'my hosts') });
    expect([status, remedy]).toEqual(['fail', expect.stringContaining(`>>'${join(folder, 'my hosts')}'`)]);
  });
});
