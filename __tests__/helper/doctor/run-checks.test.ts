import { describe, expect, it } from '@jest/globals';
import { ok } from '../../../helper/doctor/finding.ts';
import { runChecks, type Check } from '../../../helper/doctor/run-checks.ts';
import { Failure } from '../../../src/errors.ts';

const signal = new AbortController().signal;
const check = (name: string, run: Check['run'], limit = 5): Check => ({ name, limit, run });
const fine = (name: string): Check => check(name, () => Promise.resolve([ok(name, 'fine')]));
const hangs = (): Promise<never> => new Promise(() => undefined);

describe('the checks', () => {
  it('run at the same time, and their findings keep the order', async () => {
    let release = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (release = resolve));
    const first = check('first', () => waiting.then(() => [ok('first', 'after the second')]));
    const second = check('second', () => {
      release();
      return Promise.resolve([ok('second', 'fine')]);
    });
    const findings = await runChecks([first, second], { signal, progress: () => undefined });
    expect(findings.map((finding) => finding.check)).toEqual(['first', 'second']);
  });

  it('do not stop each other if one fails or takes too long', async () => {
    const broken = check('broken', () => Promise.reject(new TypeError('no')));
    const slow = check('slow', hangs, 0.05);
    const findings = await runChecks([broken, slow, fine('last')], { signal, progress: () => undefined });
    expect(findings.map(({ status }) => status)).toEqual(['fail', 'fail', 'ok']);
    expect(findings[1]?.detail).toBe('TIMEOUT: the check "slow" took longer than 0.05 seconds');
  });

  it('show no secret and no control character, whoever made the finding', async () => {
    const made = {
      check: 'a\u001b',
      status: 'warn',
      detail: 'https://me:hunter2@h/',
      remedy: 'a\u0007',
    } as const;
    const findings = await runChecks([check('made', () => Promise.resolve([made]))], {
      signal,
      progress: () => undefined,
    });
    expect(findings).toEqual([
      { check: 'a\\x1b', status: 'warn', detail: 'https://me:…@h/', remedy: 'a\\x07' },
    ]);
  });

  it('tell how many have ended', async () => {
    const told: string[] = [];
    const progress = (done: number, all: number): void => void told.push(`${done}/${all}`);
    await runChecks([fine('one'), fine('two')], { signal, progress });
    expect(told).toEqual(['1/2', '2/2']);
  });

  it('end with an interrupt', async () => {
    const controller = new AbortController();
    const running = runChecks([check('slow', hangs)], {
      signal: controller.signal,
      progress: () => undefined,
    });
    controller.abort(new Failure('TIMEOUT', 'interrupted by SIGINT', { hint: 'run it again' }));
    await expect(running).rejects.toMatchObject({ message: 'interrupted by SIGINT' });
  });
});
