import { describe, expect, it } from '@jest/globals';
import { startChildWithLifeline } from '../../src/process/child-with-lifeline.ts';
import { ProgramNotFound } from '../../src/process/program-not-found.ts';
import { runningProcesses } from '../support/runner/process-table.ts';

const env = { PATH: process.env['PATH'] ?? '' };
const { signal } = new AbortController();

/** Ends with its standard input. The mark is in its command line. */
const reads = (mark: string): readonly [string, ...string[]] => [
  'sh',
  '-c',
  `read -r line; echo "$line"; cat; : ${mark}`,
];

describe('a child with a lifeline', () => {
  it('gets its input, prints its first line, and ends when its input is closed', async () => {
    const child = await startChildWithLifeline(reads('first'), { env, signal, input: 'up\n' });
    expect(child.firstLine).toBe('up');
    expect(await child.end()).toEqual({ exitCode: 0, stderr: '' });
  });

  it('that does not exist is told', async () => {
    const starting = startChildWithLifeline(['no-such-program'], { env, signal });
    await expect(starting).rejects.toBeInstanceOf(ProgramNotFound);
  });

  it('is not started if the signal has been aborted', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    const starting = startChildWithLifeline(['no-such-program'], { env, signal: aborted });
    await expect(starting).rejects.toThrow('enough');
  });

  it.each([0, 300])('ends if the signal is aborted after %d milliseconds', async (milliseconds) => {
    const mark = `${process.pid}.${milliseconds}`;
    const controller = new AbortController();
    const starting = startChildWithLifeline(reads(mark), { env, signal: controller.signal });
    const stop = (): void => {
      controller.abort(new Error('enough'));
    };
    if (milliseconds === 0) stop();
    else setTimeout(stop, milliseconds);
    await expect(starting).rejects.toThrow('enough');
    expect(runningProcesses().filter(({ command }) => command.includes(mark))).toEqual([]);
  });

  it('that hangs is killed with what it has started, if the signal is aborted', async () => {
    const mark = `${process.pid}.hangs`;
    const controller = new AbortController();
    const script = `trap '' TERM HUP; sh -c 'while :; do sleep 0.2; done; : ${mark}'; : ${mark}`;
    const starting = startChildWithLifeline(['sh', '-c', script], { env, signal: controller.signal });
    setTimeout(() => {
      controller.abort(new Error('enough'));
    }, 300);
    await expect(starting).rejects.toThrow('enough');
    expect(runningProcesses().filter(({ command }) => command.includes(mark))).toEqual([]);
  });
});
