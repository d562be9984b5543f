import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { notStarted } from '../../../helper/exec/not-started.ts';
import { Failure } from '../../../src/errors.ts';
import { runAttached } from '../../../src/process/attached.ts';

const signals = { on: () => undefined, off: () => undefined };

describe('a command of exec that cannot be started', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'not-started-'));
    writeFileSync(join(folder, 'text'), 'text', { mode: 0o600 });
    writeFileSync(join(folder, 'orphan'), '#!/no/such/sh\n', { mode: 0o700 });
    writeFileSync(join(folder, 'shut'), `#!${folder}/text\n`, { mode: 0o700 });
    mkdirSync(join(folder, 'folder'));
    symlinkSync('loop', join(folder, 'loop'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** As exec does it. */
  async function start(name: string, env: { PATH?: string }, ...args: string[]): Promise<unknown> {
    return await runAttached([name, ...args], { env, signals, terminal: false }).catch((error: unknown) =>
      notStarted(name, env, error),
    );
  }

  const long = 'x'.repeat(300);
  const cases: [string, string, RegExp][] = [
    ['no-such-program', 'no-such-program is not on PATH', /check the name of the command/],
    ['text', 'FOLDER/text is not executable', /chmod \+x FOLDER\/text/],
    ['orphan', 'FOLDER/orphan needs a program that is not there', /first line/],
    ['shut', 'FOLDER/shut needs a program that may not be started', /first line/],
    ['FOLDER/none', 'there is no file FOLDER/none', /check the path/],
    ['FOLDER/folder', 'FOLDER/folder is a folder', /name a program/],
    ['FOLDER/text', 'FOLDER/text is not executable', /chmod \+x/],
    ['FOLDER/text/x', 'FOLDER/text/x goes through a file that is no folder', /check the path/],
    ['FOLDER/loop', 'FOLDER/loop leads through too many symbolic links', /ls -l/],
    [`FOLDER/${long}`, `the name FOLDER/${long} is too long for this system`, /check the path/],
  ];
  it.each(cases)('is told by its fault: %s', async (name, message, hint) => {
    const filled = (text: string): string => text.replaceAll('FOLDER', folder);
    const env = { PATH: `${folder}/folder:${folder}` };
    expect(spawnSync('/bin/sh', ['-c', '"$0"', filled(name)], { env }).status).toBeGreaterThan(125);
    const failure = await start(filled(name), env);
    expect(failure).toBeInstanceOf(Failure);
    const { code, message: said, hint: told, exitCode } = failure as Failure;
    expect([code, exitCode, said]).toEqual(['INPUT_INVALID', 2, filled(message)]);
    expect(told).toMatch(new RegExp(filled(hint.source)));
  });

  it('has arguments that are too long', async () => {
    expect(await start('true', { PATH: '/bin:/usr/bin' }, 'x'.repeat(4_000_000))).toMatchObject({
      code: 'INPUT_INVALID',
      message: 'the arguments of true and the environment are too long for this system',
    });
  });

  it('and has another format is told with what to do', () => {
    // The C library of Linux starts such a file with sh: only other systems answer so.
    const error = Object.assign(new Error('spawn ENOEXEC'), { code: 'ENOEXEC' });
    expect(notStarted(join(folder, 'orphan'), {}, error)).toMatchObject({
      message: `${folder}/orphan is no program for this system`,
      hint: expect.stringContaining('#!/bin/sh'),
    });
  });

  it('for a reason of the machine is told with that reason', () => {
    const error = Object.assign(new Error('spawn EMFILE'), { code: 'EMFILE' });
    expect(notStarted('true', {}, error)).toBe(error);
  });
});
