import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect } from '@jest/globals';
import { canMountHome, scriptIn, sshFile } from '../support/account-home.ts';
import { describeWhere } from '../support/needs.ts';
import { it, itInRest } from '../support/parts.ts';

const source = join(dirname(dirname(import.meta.dirname)), 'src/ssh/user-files.ts');

/** Adds and removes a block twenty times. */
const program = `
  import { addBlocks, removeBlocks } from ${JSON.stringify(source)};
  for (let round = 0; round < 20; round++) {
    const ours = process.argv[1] + '-' + round;
    await addBlocks(ours, { config: ['Host a'], knownHosts: ['host.test'] });
    await removeBlocks((name) => name === ours);
  }`;

describeWhere(canMountHome(tmpdir()), 'blocks in ~/.ssh need root')('blocks in ~/.ssh', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'home-'));
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  const together = (): string => {
    writeFileSync(join(home, 'program.mjs'), program);
    const one = `"${process.execPath}" --no-warnings --input-type=module -e "$(cat "$HOME_UNDER_TEST/program.mjs")"`;
    const all = `for number in 1 2 3 4 5 6; do ${one} $number & done; wait`;
    const env = { ...process.env, HOME_UNDER_TEST: home, NODE_OPTIONS: '' };
    const { stdout, stderr } = spawnSync('sh', ['-c', scriptIn(home, all)], { env, encoding: 'utf8' });
    return stdout + stderr;
  };

  it('are refused, in the end, where ~/.ssh is a link that leads nowhere', () => {
    symlinkSync('/nowhere/ssh', join(home, '.ssh'));
    const told = `import { addBlocks } from ${JSON.stringify(source)};
        await addBlocks('one', { config: [], knownHosts: [] }).catch(({ code, message }) => console.log(code, message));`;
    writeFileSync(join(home, 'program.mjs'), told);
    const one = `"${process.execPath}" --no-warnings --input-type=module -e "$(cat "${home}/program.mjs")"`;
    const env = { ...process.env, NODE_OPTIONS: '' };
    const options = { env, encoding: 'utf8', timeout: 30_000 } as const;
    const { stdout, stderr } = spawnSync('sh', ['-c', scriptIn(home, one)], options);
    expect([stdout, stderr]).toEqual([
      expect.stringMatching(/^STATE_UNSAFE .*\/\.ssh cannot be created \(ENOENT.*\n$/),
      '',
    ]);
  });

  it('added and removed by six processes at the same time leave the files unchanged', () => {
    const config = 'Host x\n  User y';
    mkdirSync(join(home, '.ssh'), { mode: 0o700 });
    writeFileSync(sshFile(home, 'config'), config);
    expect(together()).toBe('');
    expect(readdirSync(join(home, '.ssh'))).toEqual(['config']);
    expect(readFileSync(sshFile(home, 'config'), 'utf8')).toBe(config);
  });

  itInRest('added and removed so leave no file and no folder if there was none', () => {
    expect(together()).toBe('');
    expect(existsSync(join(home, '.ssh')) ? readdirSync(join(home, '.ssh')) : []).toEqual([]);
  });
});
