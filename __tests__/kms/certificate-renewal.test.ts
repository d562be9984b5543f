import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Certificate } from '../../src/keys/certificate.ts';
import { CertificateRenewal, type Renewing } from '../../src/kms/certificate-renewal.ts';
import { startFakeClock, type FakeClock } from '../support/fake-clock.ts';

const minute = 60_000;
const start = Date.UTC(2030, 0, 1);
const { signal } = new AbortController();

describe('a certificate that is renewed', () => {
  let clock: FakeClock;
  /** The minute of each certificate that was made. */
  let made: number[];
  let failures: number[];
  let problem: Error | undefined;
  let random: number;

  beforeEach(() => {
    clock = startFakeClock(start);
    [made, failures, problem, random] = [[], [], undefined, 0];
  });

  const minutes = (): number => (clock.now() - start) / minute;
  const certificate = (until = Infinity): Certificate => ({
    ...{ line: `made at ${minutes()}`, type: '', blob: Buffer.alloc(0) },
    validFrom: clock.now() / 1000 - 300,
    validUntil: Math.min(clock.now() / 1000 + 900, until / 1000),
  });
  const open = (options: Partial<Renewing> = {}): CertificateRenewal =>
    new CertificateRenewal({
      make: async () => {
        await Promise.resolve();
        if (problem) throw problem;
        made.push(minutes());
        return certificate(options.until);
      },
      ...{ clock, random: () => random },
      onFailed: (_, milliseconds) => failures.push(milliseconds),
      ...options,
    });
  const lineOf = async (renewal: CertificateRenewal): Promise<string | undefined> =>
    (await renewal.current(signal))?.line;

  it('is made once for all that wait for the first one', async () => {
    const renewal = open();
    const lines = await Promise.all(Array.from({ length: 50 }, () => lineOf(renewal)));
    expect([new Set(lines), made]).toEqual([new Set(['made at 0']), [0]]);
  });

  it('is made anew after two thirds of its time, and serves at once', async () => {
    const shown: string[] = [];
    const renewal = open({ onMade: ({ line }) => shown.push(line) });
    await renewal.current(signal);
    await clock.pass(9.9 * minute);
    expect(await lineOf(renewal)).toBe('made at 0');
    await clock.pass(0.1 * minute);
    expect(await lineOf(renewal)).toBe('made at 10');
    await clock.pass(20 * minute);
    expect([made, shown]).toEqual([[0, 10, 20, 30], made.map((at) => `made at ${at}`)]);
  });

  it('is made up to a tenth earlier, so that many hosts do not ask together', async () => {
    random = 1;
    const renewal = open();
    await renewal.current(signal);
    await clock.pass(10 * minute);
    expect(made).toEqual([0, 9]);
  });

  it('continues from one that was made before', async () => {
    const renewal = open();
    const other = new CertificateRenewal(
      { make: () => Promise.resolve(certificate()), clock, random: () => 0 },
      { ...certificate(), line: 'the first' },
    );
    expect(await lineOf(other)).toBe('the first');
    await clock.pass(11 * minute);
    expect(await lineOf(other)).toBe('made at 10');
    renewal.close();
  });

  it('serves while its renewal fails, which is tried again after growing pauses', async () => {
    const renewal = open();
    await renewal.current(signal);
    problem = new Error('KMS is away');
    await clock.pass(14 * minute);
    expect(failures.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000));
    expect(await lineOf(renewal)).toBe('made at 0');
    problem = undefined;
    await clock.pass(minute);
    expect(made).toHaveLength(2);
    expect(await lineOf(renewal)).toBe(`made at ${made[1] ?? 0}`);
    // The next one comes in time, and its pauses begin anew.
    problem = new Error('KMS is away');
    failures = [];
    await clock.pass(10 * minute);
    expect(failures[0]).toBe(1000);
  });

  it('waits half of a pause at least', async () => {
    random = 1;
    problem = new Error('KMS is away');
    await expect(open().current(signal)).rejects.toThrow('KMS is away');
    expect(failures).toEqual([500]);
  });

  it('that has ended is not served: who asks gets the error, without a call for each', async () => {
    const renewal = open();
    await renewal.current(signal);
    problem = new Error('KMS is away');
    await clock.pass(16 * minute);
    const before = failures.length;
    for (let asked = 0; asked < 20; asked++)
      await expect(renewal.current(signal)).rejects.toThrow('KMS is away');
    expect(failures.length - before).toBeLessThanOrEqual(1);
    problem = undefined;
    await clock.pass(1_000);
    expect(await lineOf(renewal)).toMatch(/^made at 16\./);
  });

  it('that ended while the machine slept is made anew for who asks', async () => {
    const renewal = open();
    await renewal.current(signal);
    clock.jump(60 * minute);
    expect(await lineOf(renewal)).toBe('made at 60');
  });

  it('is made anew if the clock was set back to before its time', async () => {
    const renewal = open();
    await renewal.current(signal);
    clock.jump(-10 * minute);
    expect(await lineOf(renewal)).toBe('made at -10');
  });

  it('is not made anew if it lasts as long as the key, and then there is none', async () => {
    const renewal = open({ until: start + 14 * minute });
    await renewal.current(signal);
    await clock.pass(13.9 * minute);
    expect([await lineOf(renewal), made]).toEqual(['made at 0', [0]]);
    await clock.pass(0.1 * minute);
    expect([await lineOf(renewal), made]).toEqual([undefined, [0]]);
    expect(clock.waiting()).toBe(0);
  });

  it('stops when it is closed', async () => {
    const renewal = open();
    await renewal.current(signal);
    renewal.close();
    await clock.pass(60 * minute);
    expect([await lineOf(renewal), made, clock.waiting()]).toEqual([undefined, [0], 0]);
  });

  it('stops when the key is no longer wanted', async () => {
    let isWanted = true;
    const renewal = open({ isWanted: () => isWanted });
    await renewal.current(signal);
    await clock.pass(11 * minute);
    isWanted = false;
    await clock.pass(60 * minute);
    expect([made, clock.waiting()]).toEqual([[0, 10], 0]);
  });

  it('ends a call that hangs after ten seconds, and earlier for who waits less', async () => {
    const renewal = open({ make: () => new Promise(() => undefined) });
    const impatient = new AbortController();
    const [short, long] = [renewal.current(impatient.signal), renewal.current(signal)];
    impatient.abort(new Error('enough'));
    await expect(short).rejects.toThrow('enough');
    const ended = expect(long).rejects.toThrow('no certificate was signed within 10 seconds');
    await clock.pass(10_000);
    await ended;
    renewal.close();
    expect(clock.waiting()).toBe(0);
  });

  it('of a year needs no timer that is too long for setTimeout', async () => {
    const renewal = open({
      make: () => {
        made.push(minutes());
        return Promise.resolve({ ...certificate(), validUntil: clock.now() / 1000 + 365 * 86_400 });
      },
    });
    await renewal.current(signal);
    expect(clock.longest()).toBeLessThanOrEqual(2 ** 31 - 1);
    await clock.pass(300 * 86_400_000);
    expect(made).toEqual([0, (365 * 1440 * 2) / 3]);
  });
});
