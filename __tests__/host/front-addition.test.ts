/** What an agent in front accepts from `add`. */
import { describe, expect, it } from '@jest/globals';
import { readAddition, writeAddition } from '../../src/host/front-addition.ts';
import type { FrontOrder } from '../../src/host/front-order.ts';
import { isStoredLine, parseKeyLine } from '../../src/keys/key-line.ts';

const line = parseKeyLine('kms:alias/deploy github.com');
if (isStoredLine(line)) throw new Error('not a key in KMS');
const wanted = { regions: [], role: null, allowedAccounts: [], maxAttempts: 3, timeoutSeconds: 30 };
const order = (knownHosts: readonly string[], env: Record<string, string>): FrontOrder => ({
  keys: [{ line, lifetime: 60, knownHosts }],
  ...{ wanted, missing: { region: '', credentials: '', expired: '' }, env, endsWithInput: false },
});
const running = order(['/agent/known_hosts', '/home/a'], { AWS_REGION: 'eu-west-1', HOME: '/home/a' });

describe('an addition', () => {
  it('gets the pinned keys of the agent, and keeps the agent’s environment', () => {
    const asked = writeAddition(order(['/home/b'], { AWS_REGION: 'eu-west-1', HOME: '/home/b' }));
    const { keys, env } = readAddition(JSON.parse(JSON.stringify(asked)), running);
    expect([keys[0]?.knownHosts, env]).toEqual([['/agent/known_hosts', '/home/b'], running.env]);
  });

  it('names no variable that the agent does not compare: a message has limits', () => {
    const asked = writeAddition(order([], { AWS_REGION: 'eu-west-1', LONG: 'x'.repeat(300_000) }));
    expect(JSON.stringify(asked).length).toBeLessThan(10_000);
  });

  it('with other settings of AWS is refused, by their names and not by their values', () => {
    const env = { AWS_REGION: 'eu-west-1', AWS_SECRET_ACCESS_KEY: 'a secret value', https_proxy: 'http://p' };
    expect(() => readAddition(writeAddition(order([], env)), running)).toThrow(
      'the agent was started with another value of AWS_SECRET_ACCESS_KEY, https_proxy, and calls AWS with that one',
    );
  });

  it.each([undefined, {}, { format: 0, order: '' }, { format: 1, order: 7 }])(
    'of another version is refused: %j',
    (question) => {
      expect(() => readAddition(question, running)).toThrow('is of another version');
    },
  );
});
