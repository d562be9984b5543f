/** Programs started with @actions/exec. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProgramNotFound } from '../src/process/program-not-found.ts';
import { run } from '../src/runner.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'runner "and" more-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const { signal } = new AbortController();
const options = { env: { PATH: process.env['PATH'] ?? '', WORD: 'given' }, signal };

function program(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

describe('a program', () => {
  it('gets its arguments and environment unchanged, and any exit code is a result', async () => {
    const script = 'printf "%s\\n" "$@"; echo "$WORD,$HOME" >&2; exit 7';
    const argv = ['sh', '-c', script, 'sh', 'a "b" \\c', '', '$d'] as const;
    expect(await run(argv, options)).toEqual({
      exitCode: 7,
      stdout: 'a "b" \\c\n\n$d\n',
      stderr: 'given,\n',
    });
  });

  it('is found by a path with spaces and quotes', async () => {
    const path = program('it is here', '#!/bin/sh\necho started\n');
    expect((await run([path], options)).stdout).toBe('started\n');
  });

  it.each([
    ['is not on PATH', 'no-such-program'],
    ['does not exist at its path', '/no/such/program'],
    ['has a missing interpreter', ''],
  ])('that %s is ProgramNotFound', async (_, name) => {
    const wanted = name || program('no-interpreter', '#!/no/such/interpreter\n');
    await expect(run([wanted], options)).rejects.toEqual(new ProgramNotFound(`${wanted} is not on PATH`));
  });

  it('that hangs is rejected with the reason of the signal', async () => {
    const reason = new Error('over');
    const limit = new AbortController();
    // It ends without help: nothing here can end it.
    const running = run(['sleep', '1'], { ...options, signal: limit.signal });
    setTimeout(() => {
      limit.abort(reason);
    }, 50);
    await expect(running).rejects.toBe(reason);
  });
});
