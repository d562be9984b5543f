import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { runInGroup } from '../../src/process/run-in-group.ts';
import { runningProcesses } from '../support/runner/process-table.ts';

const env = { PATH: process.env['PATH'] ?? '' };
const signal = new AbortController().signal;
const left = (mark: string): string[] =>
  runningProcesses()
    .map(({ command }) => command)
    .filter((command) => command.includes(mark));

/** With a child, which would stay. */
const waits = (mark: string): readonly [string, ...string[]] => [
  'sh',
  '-c',
  `sleep 60.${mark} & sleep 61.${mark}`,
];

describe('a program in a group', () => {
  it('has the exit code, the output, and a standard input that can be opened', async () => {
    const script = 'cat /dev/stdin; echo said >&2; exit 7';
    await expect(runInGroup(['sh', '-c', script], { env, signal, input: 'text' })).resolves.toEqual({
      ...{ exitCode: 7, stdout: 'text', stderr: 'said\n' },
    });
    await expect(runInGroup(['no-such-program'], { env, signal })).resolves.toMatchObject({ exitCode: 127 });
  });

  it('is not started if the signal has been aborted', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    const running = runInGroup(['true'], { env, cwd: '/nowhere', signal: aborted });
    await expect(running).rejects.toThrow('enough');
  });

  it('ends with what it has started if the signal is aborted', async () => {
    const mark = String(process.pid) + '1';
    const controller = new AbortController();
    const running = runInGroup(waits(mark), { env, signal: controller.signal });
    while (left(`sleep 61.${mark}`).length === 0) await sleep(20);
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    for (let i = 0; i < 100 && left(mark).length > 0; i++) await sleep(50);
    expect(left(mark)).toEqual([]);
  });

  it('ends with what it has started if the signal is aborted after its shell was killed', async () => {
    const mark = String(process.pid) + '3';
    const controller = new AbortController();
    const [, , script] = waits(mark);
    const argv = ['sh', '-c', `kill -KILL $PPID; ${script ?? ''}`] as const;
    const running = runInGroup(argv, { env, signal: controller.signal }).catch(() => undefined);
    while (left(`sleep 61.${mark}`).length === 0) await sleep(20);
    await sleep(100);
    controller.abort(new Error('enough'));
    const late = sleep(20_000, 'late', { ref: false });
    expect(await Promise.race([running, late])).not.toBe('late');
    for (let i = 0; i < 100 && left(mark).length > 0; i++) await sleep(50);
    expect(left(mark)).toEqual([]);
  });

  it('ends with what it has started if this process is killed', async () => {
    const mark = String(process.pid) + '2';
    const module = new URL('../../src/process/run-in-group.ts', import.meta.url).href;
    const options = `{ env: process.env, signal: new AbortController().signal }`;
    const code = `import(${JSON.stringify(module)}).then(({ runInGroup }) => runInGroup(${JSON.stringify(waits(mark))}, ${options}))`;
    const parent = spawn(process.execPath, ['--no-warnings', '-e', code], { env, stdio: 'ignore' });
    while (left(`sleep 61.${mark}`).length === 0) await sleep(20);
    parent.kill('SIGKILL');
    for (let i = 0; i < 100 && left(mark).length > 0; i++) await sleep(50);
    expect(left(mark)).toEqual([]);
  });
});
