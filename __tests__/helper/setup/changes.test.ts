import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { write } from '../../../helper/setup/changes.ts';
import { markedSettings } from '../../../helper/setup/marked-lines.ts';

describe('what setup writes', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'changes-'));
    file = join(folder, 'config');
    writeFileSync(file, '[core]\n\tsshCommand = /opt/ssm-ssh\n');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const key = { name: 'ssm.key', value: '/ci/key' };
  const command = { name: 'core.sshCommand', value: '/opt/ssm-ssh' };

  it.each([
    ['new settings', [key], []],
    ['a setting that stood there', [], [command]],
    ['one of each', [key], [command]],
  ])('has its mark: %s', async (_, changes, adopted) => {
    await write({ changes, adopted }, 'global', { env: { GIT_CONFIG_GLOBAL: file } });
    const marked = markedSettings(readFileSync(file, 'latin1'));
    expect(marked).toEqual([...adopted, ...changes].map((one) => expect.objectContaining(one)));
  });

  it('is nothing where nothing changes', async () => {
    const before = readFileSync(file, 'utf8');
    await write({ changes: [], adopted: [] }, 'global', { env: { GIT_CONFIG_GLOBAL: file } });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});
