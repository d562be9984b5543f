import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runAttached } from '../../src/process/attached.ts';
import { ProgramNotFound } from '../../src/process/program-not-found.ts';

const options = {
  ...{ env: { PATH: process.env['PATH'] }, terminal: false },
  signals: { on: () => undefined, off: () => undefined },
};

describe('a program with our input and output', () => {
  it.each(['exit 7', 'kill -TERM $$', 'kill -KILL $$'])(
    'has the exit code that a shell sees: %s',
    async (script) => {
      const { status } = spawnSync('sh', ['-c', 'sh -c "$0"; exit $?', script]);
      expect(await runAttached(['sh', '-c', script], options)).toBe(status);
    },
  );

  it.each([
    ['is not on PATH', 'no-such-program'],
    ['is no program', 'text'],
  ])('that %s is not found', async (_, name) => {
    const folder = mkdtempSync(join(tmpdir(), 'attached-'));
    try {
      writeFileSync(join(folder, 'text'), 'text', { mode: 0o600 });
      const running = runAttached([name], { ...options, env: { PATH: folder } });
      await expect(running).rejects.toEqual(new ProgramNotFound(`${name} is not on PATH`));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('that cannot be started, because too many files are open, is told with the error of the system', () => {
    const script = `
      import { openSync, writeSync } from 'node:fs';
      import { runAttached } from ${JSON.stringify(join(import.meta.dirname, '../../src/process/attached.ts'))};
      const signals = { on: () => undefined, off: () => undefined };
      try { for (;;) openSync('/dev/null'); } catch {}
      const told = await runAttached(['true'], { env: {}, terminal: false, signals }).catch(({ code }) => code);
      writeSync(1, String(told));`;
    const node = [process.execPath, '--no-warnings', '--input-type=module', '-e', script];
    const { stdout } = spawnSync('sh', ['-c', 'ulimit -n 128; exec "$@"', 'sh', ...node], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('EMFILE');
  });
});
