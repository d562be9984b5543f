import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runAttached } from '../../src/process/attached.ts';
import { itWhere } from '../support/needs.ts';

const source = JSON.stringify(join(import.meta.dirname, '../../src/process/attached.ts'));
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
    ['is not on PATH', 'no-such-program', 'ENOENT'],
    ['is no program', 'text', 'EACCES'],
    ['goes through a file', './text/x', 'ENOTDIR'],
  ])('that %s is told with the error of the system', async (_, name, code) => {
    const folder = mkdtempSync(join(tmpdir(), 'attached-'));
    try {
      writeFileSync(join(folder, 'text'), 'text', { mode: 0o600 });
      const running = runAttached([name.replace(/^\./, folder)], { ...options, env: { PATH: folder } });
      await expect(running).rejects.toMatchObject({ code });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('that cannot be started, because too many files are open, is told with the error of the system', () => {
    const script = `
      import { openSync, writeSync } from 'node:fs';
      import { runAttached } from ${source};
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

  itWhere(process.getuid?.() === 0, 'a program of another user: run the tests as root')(
    'of another user, which cannot be sent a signal, is waited for',
    async () => {
      // As with `exec -- sudo PROGRAM`: the program has another user from its start on.
      const program = `
        process.setuid(1);
        process.stdin.on('end', () => process.exit(7)).resume();
        console.log('started');`;
      const script = `
        import { runAttached } from ${source};
        const node = [process.execPath, '-e', ${JSON.stringify(program)}];
        const running = runAttached(node, { env: {}, terminal: false, signals: process });
        process.seteuid(2);
        process.on('SIGTERM', () => console.log('signal'));
        console.log(await running.catch(({ code }) => code));`;
      const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script]);
      let stdout = '';
      for await (const text of child.stdout) {
        stdout += String(text);
        if (stdout === 'started\n') child.kill('SIGTERM');
        if (stdout === 'started\nsignal\n') child.stdin.end();
      }
      expect(stdout).toBe('started\nsignal\n7\n');
    },
  );
});
