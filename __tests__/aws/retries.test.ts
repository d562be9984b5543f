import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { retries } from '../../src/aws/retries.ts';
import { REGION, ROLE_ARN, startReadyWorld } from '../support/aws/world.ts';

const world = await startReadyWorld();
world.put('/ci/key', 'text');
afterAll(() => world.stop());

describe('a call of the AWS SDK with our retries', () => {
  const waited: number[] = [];
  const limits = { maxAttempts: 2, throttledAttempts: 5 };

  beforeEach(() => {
    waited.splice(0);
    world.aws.faults.clear();
    world.aws.forgetCalls();
  });

  async function read(): Promise<string | undefined> {
    const client = new SSMClient({
      ...{ region: REGION, endpoint: world.aws.endpoint },
      credentials: world.aws.iam.createSession({ roleArn: ROLE_ARN }),
      ...retries(limits, (tries) => {
        waited.push(tries);
        return 1;
      }),
    });
    const command = new GetParameterCommand({ Name: '/ci/key', WithDecryption: true });
    return (await client.send(command)).Parameter?.Value;
  }

  it('is tried again while AWS throttles it, and waits as long as we say', async () => {
    world.aws.faults.order({ operation: 'ssm:GetParameter', fault: 'throttling', times: 4 });
    expect(await read()).toBe('text');
    expect(waited).toEqual([1, 2, 3, 4]);
    expect(world.aws.calls.length).toBe(5);
  });

  it('fails after as many throttled tries as are allowed', async () => {
    world.aws.faults.order({ operation: 'ssm:GetParameter', fault: 'throttling' });
    await expect(read()).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(world.aws.calls.length).toBe(5);
  });

  it('has fewer tries, with the waits of the SDK, for other trouble', async () => {
    world.aws.faults.order({ operation: 'ssm:GetParameter', fault: 'internal-error' });
    await expect(read()).rejects.toMatchObject({ name: 'InternalServerError' });
    expect(world.aws.calls.length).toBe(2);
    expect(waited).toEqual([]);
  });

  it('is not tried again if it is refused', async () => {
    const command = new GetParameterCommand({ Name: '/other/key', WithDecryption: true });
    const credentials = world.aws.iam.createSession({ roleArn: ROLE_ARN });
    const place = { region: REGION, endpoint: world.aws.endpoint, credentials };
    await expect(new SSMClient({ ...place, ...retries(limits) }).send(command)).rejects.toThrow();
    expect(world.aws.calls.length).toBe(1);
  });
});
