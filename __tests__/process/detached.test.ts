import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { startDetached } from '../../src/process/detached.ts';
import { ProgramNotFound } from '../../src/process/program-not-found.ts';

const env = { PATH: process.env['PATH'] ?? '' };
const never = new AbortController().signal;

describe('a program that outlives this process', () => {
  it('continues after its first line, in its own session, without files of this process', async () => {
    const script = 'echo "$$ $(pwd) ${HOME-none}"; exec sleep 20';
    const { firstLine, exitCode } = await startDetached(['sh', '-c', script], { env, signal: never });
    const [pid = '', folder, home] = firstLine.split(' ');
    const session = execFileSync('ps', ['-o', 'sid=', '-p', pid], { encoding: 'utf8' }).trim();
    expect([session, folder, home, exitCode]).toEqual([pid, '/', 'none', 0]);
    // Throws if there is no such process.
    process.kill(Number(pid));
  });

  it('that ends without output returns its exit code and standard error', async () => {
    const started = await startDetached(['sh', '-c', 'echo no >&2; exit 3'], { env, signal: never });
    expect(started).toEqual({ firstLine: '', exitCode: 3, stderr: 'no\n' });
  });

  it('is reported if it does not exist', async () => {
    await expect(startDetached(['no-such-program'], { env, signal: never })).rejects.toThrow(ProgramNotFound);
  });

  it('is ended if it prints nothing in time', async () => {
    const reason = new Error('too late');
    const controller = new AbortController();
    const starting = startDetached(['sleep', '20'], { env, signal: controller.signal });
    setTimeout(() => {
      controller.abort(reason);
    }, 100);
    await expect(starting).rejects.toBe(reason);
  });
});
