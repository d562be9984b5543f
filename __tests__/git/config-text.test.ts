import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { linesOfSetting } from '../../src/git/config-text.ts';

const text = `# [ssm] key = /comment
[SSM]
	Key = /default
; key = /comment
[ssm "github.com/Acme"] key = /acme # behind
	passphrase = one \\
  key = /no-setting
[ssm "quo\\"te\\\\d"]
	key=/quoted
[ssm.Old]
	key = /old
[ssm]
	region
	key = /again
[core] # key = /comment
	sshCommand = "ssh -i \\"x\\"" \\
		-4
`;

describe('the lines of a setting', () => {
  let file: string;
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lines-'));
    file = join(folder, 'config');
    writeFileSync(file, text);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['ssm.key', [3, 14]],
    ['ssm.github.com/Acme.key', [5]],
    ['ssm.github.com/acme.key', []],
    ['ssm.github.com/Acme.passphrase', [6]],
    ['ssm.quo"te\\d.key', [9]],
    ['ssm.old.key', [11]],
    ['ssm.region', [13]],
    ['core.sshcommand', [16]],
    ['ssm.nothing', []],
  ])('%s are %j', (name, lines) => {
    expect(linesOfSetting(text, name)).toEqual(lines);
  });

  it('are as many as git reads values', () => {
    const listed = execFileSync('git', ['config', '--file', file, '--list', '--name-only', '-z'], {
      encoding: 'utf8',
    });
    const names = listed.split('\0').filter(Boolean);
    expect(names.length).toBe(8);
    for (const name of new Set(names))
      expect([name, linesOfSetting(text, name).length]).toEqual([
        name,
        names.filter((one) => one === name).length,
      ]);
  });
});
