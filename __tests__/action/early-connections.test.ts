/** The connections that main opens before its requests: as many as its requests need at the same time. */
import { describe, expect, it } from '@jest/globals';
import { earlyConnections } from '../../src/action/early-connections.ts';
import { narrowSessions } from '../../src/aws/session-policy.ts';
import { parseReference, type Reference } from '../../src/keys/reference.ts';

const parameters = (count: number): Reference[] =>
  Array.from({ length: count }, (_, number) => parseReference(`/ci/key-${number}`));
const secrets = (count: number): Reference[] =>
  Array.from({ length: count }, (_, number) => parseReference(`secretsmanager:ci/key-${number}`));
const counts = (references: readonly Reference[], isNarrowed = true): unknown =>
  Object.fromEntries(earlyConnections(references, isNarrowed));

describe('the connections to open early', () => {
  it('are one to each service for one key', () => {
    expect(counts(parameters(1))).toEqual({ sts: 1, ssm: 1 });
    expect(counts(secrets(1))).toEqual({ sts: 1, secretsmanager: 1 });
    expect(counts([])).toEqual({ sts: 1 });
  });

  it('are one to STS for each session that a narrow policy needs', () => {
    const home = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };
    for (const count of [1, 16, 17, 25, 33]) {
      const sessions = narrowSessions(parameters(count), home);
      expect(counts(parameters(count))).toMatchObject({ sts: sessions.length });
    }
    expect(counts(parameters(25), false)).toMatchObject({ sts: 1 });
  });

  it('are one to a store for each call of each session', () => {
    expect(counts(parameters(25))).toEqual({ sts: 2, ssm: 3 });
    expect(counts(parameters(25), false)).toEqual({ sts: 1, ssm: 3 });
    expect(counts(secrets(25))).toEqual({ sts: 2, secretsmanager: 2 });
    expect([10, 11].map((count) => counts(parameters(count)))).toEqual(
      [1, 2].map((ssm) => ({ sts: 1, ssm })),
    );
    expect([20, 21].map((count) => counts(secrets(count), false))).toEqual(
      [1, 2].map((secretsmanager) => ({ sts: 1, secretsmanager })),
    );
    expect(counts([...parameters(8), ...secrets(8)])).toEqual({ sts: 1, ssm: 1, secretsmanager: 1 });
  });

  it('count a reference that is named several times once', () => {
    expect(counts(Array.from({ length: 12 }, () => parseReference('/ci/key')))).toEqual({ sts: 1, ssm: 1 });
  });
});
