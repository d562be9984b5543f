/** Parameter Store limits the rate of calls, as it does where many hosts start at the same time. */
import { describe, expect } from '@jest/globals';
import { itInTurn as it } from '../../support/parts.ts';
import { useHost } from './use-host.ts';

describe('a host whose calls AWS throttles', () => {
  const stage = useHost();
  const operation = 'ssm:GetParameter';
  const clone = (): string => `git clone -q ${stage.git.url('acme/lib')} it`;
  const calls = (): number => stage.world.aws.calls.filter((call) => call.operation === operation).length;

  it('waits for its turn, with more tries than for other trouble', async () => {
    stage.world.aws.faults.order({ operation, fault: 'throttling', times: 3 });
    const { code, stderr, took } = await stage.host.run(clone());
    expect([stderr, code]).toEqual(['', 0]);
    expect(calls()).toBe(4);
    // At least one, two and four seconds.
    expect(took).toBeGreaterThan(7_000);
  });

  it('gives up when its time is over, and says why: THROTTLED', async () => {
    stage.world.aws.faults.order({ operation, fault: 'throttling' });
    const { code, stderr, took } = await stage.host.run(clone(), { SSM_SSH_TIMEOUT: '4s' });
    expect(code).toBe(128);
    expect(stderr).toMatch(/^ssm-ssh: THROTTLED: ssm .*limits the rate of calls.* took longer than 4 s/);
    expect(took).toBeGreaterThan(3_900);
    expect(calls()).toBeLessThan(4);
  });
});
