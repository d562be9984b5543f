/** After which failures the next Region is tried, and how much time a Region has. */
import { describe, expect, it } from '@jest/globals';
import { inTurn, isUnreachable, type Regions, type Turn } from '../../src/aws/failover.ts';
import { awsFailure } from '../../src/aws/failures.ts';
import { Failure, type Code } from '../../src/errors.ts';

const failure = (code: Code, cause?: unknown): Failure => new Failure(code, code, { hint: 'none', cause });
const status = (httpStatusCode: number): Error =>
  Object.assign(new Error('no'), { name: 'Other', $metadata: { httpStatusCode } });
const several = (...failures: Failure[]): Failure =>
  failure(failures[0]?.code ?? 'INTERNAL', new AggregateError(failures));

describe('a region cannot be reached', () => {
  /** As Node throws it for a host with two addresses. */
  const refused = Object.assign(new AggregateError([new Error('::1'), new Error('127.0.0.1')]), {
    code: 'ECONNREFUSED',
  });
  it.each([
    ['a host with several addresses that all refuse', refused, true],
    ['an unknown host', Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }), true],
    ['throttling', Object.assign(new Error('slow down'), { name: 'ThrottlingException' }), true],
    ['500', status(500), true],
    ['503', status(503), true],
    ['400', status(400), false],
    ['no status', new Error('no'), false],
    ['expired credentials', Object.assign(new Error('no'), { name: 'ExpiredTokenException' }), false],
  ])('on %s', (_, error, expected) => {
    const attempted = { service: 'ssm', region: 'eu-west-1', resource: '/ci/key' };
    expect(isUnreachable(awsFailure(error, attempted))).toBe(expected);
  });

  it('if each of several failures says so', () => {
    expect(isUnreachable(several(failure('THROTTLED'), failure('NETWORK_UNREACHABLE')))).toBe(true);
    expect(isUnreachable(several(failure('THROTTLED'), failure('KEY_ACCESS_DENIED')))).toBe(false);
    expect(isUnreachable(failure('KEY_NOT_FOUND'))).toBe(false);
    expect(isUnreachable(new Error('no'))).toBe(false);
  });
});

describe('regions in turn', () => {
  const play = (more: Partial<Regions> = {}): Regions & { readonly warnings: string[] } => {
    const warnings: string[] = [];
    const signal = new AbortController().signal;
    const warn = (message: string): void => {
      warnings.push(message);
    };
    return { regions: ['a', 'b', 'c'], share: 50, signal, warn, warnings, ...more };
  };
  const down =
    (...regions: string[]) =>
    async ({ region }: Turn): Promise<string> => {
      if (regions.includes(region)) throw failure('NETWORK_UNREACHABLE');
      return await Promise.resolve(region);
    };

  it('return the answer of the first that answers, and the Regions after it', async () => {
    const game = play();
    expect(await inTurn(down('a'), game)).toEqual({ answer: 'b', regions: ['b', 'c'] });
    expect(game.warnings).toEqual(['NETWORK_UNREACHABLE: trying b']);
  });

  it('throw the failure of the last', async () => {
    await expect(inTurn(down('a', 'b', 'c'), play())).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' });
  });

  it('do not wait longer than its time for one that ignores its signal', async () => {
    const deaf = async ({ region }: Turn): Promise<string> =>
      region === 'a' ? await new Promise<string>(() => undefined) : region;
    const game = play();
    expect(await inTurn(deaf, game)).toEqual({ answer: 'b', regions: ['b', 'c'] });
    expect(game.warnings).toEqual(['a did not answer within 0.05 seconds: trying b']);
  });

  it('leave the last Region all the time that is left', async () => {
    const slow = async (): Promise<string> =>
      await new Promise((resolve) => setTimeout(resolve, 150, 'at last'));
    expect(await inTurn(slow, play({ regions: ['a'] }))).toEqual({ answer: 'at last', regions: ['a'] });
  });

  it('end at once when the step is aborted', async () => {
    const over = new AbortController();
    const game = play({ signal: over.signal, share: 10_000 });
    const outcome = inTurn(async () => await new Promise<string>(() => undefined), game);
    over.abort(failure('TIMEOUT'));
    await expect(outcome).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(game.warnings).toEqual([]);
  });
});
