import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { openConnection } from '../../../src/aws/connection.ts';
import type { Ec2Caller } from '../../../src/ec2/caller.ts';
import { parseHostName, type InstanceName } from '../../../src/ec2/host-name.ts';
import { makeKeyPair, pushKey } from '../../../src/ec2/instance-connect.ts';
import { findInstance } from '../../../src/ec2/instances.ts';
import { startBackend, type Backend } from '../../support/backend.ts';
import { itInTurn as it } from '../../support/parts.ts';

/** The station itself: what dist makes of it needs an agent or an endpoint, which moto has no part of. */
describe('an EC2 host', () => {
  let aws: Backend;
  let caller: Ec2Caller;
  const ids: string[] = [];

  beforeAll(async () => {
    aws = await startBackend();
    const {
      AWS_ENDPOINT_URL,
      AWS_ACCESS_KEY_ID = '',
      AWS_SECRET_ACCESS_KEY = '',
    } = aws.credentialEnvironment();
    process.env['AWS_ENDPOINT_URL'] = AWS_ENDPOINT_URL;
    const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
    caller = {
      region: aws.region,
      credentials: () => Promise.resolve(credentials),
      connection: openConnection({ env: {}, maxAttempts: 1 }),
      signal: new AbortController().signal,
    };
    for (const [name, state] of [
      ['web-1', 'running'],
      ['web-2', 'running'],
      ['old', 'stopped'],
    ] as const) {
      ids.push(await aws.launch({ tags: { Name: name, role: name.replace(/-\d/, '') }, state }));
    }
  });
  afterAll(() => aws.stop());

  const find = (text: string): ReturnType<typeof findInstance> =>
    findInstance(parseHostName(text) as InstanceName, caller);

  it('is found by its id and by its tag', async () => {
    const [instanceId = ''] = ids;
    expect(await find('Name=web-1')).toMatchObject({ instanceId, name: 'web-1' });
    const found = await find(instanceId);
    expect(found).toMatchObject({ instanceId, name: 'web-1' });
    expect(found.vpcId).toMatch(/^vpc-/);
    expect(found.privateIp).toMatch(/^10\.|^172\./);
  });

  it.each([
    ['TARGET_AMBIGUOUS', 'role=web', /^2 running instances .*\(web-1\).*\(web-2\)/],
    ['TARGET_NOT_FOUND', 'role=old', /: i-[0-9a-f]+ \(old\) is stopped$/],
    ['TARGET_NOT_FOUND', 'role=w*', /has the tag role=w\*$/],
    ['TARGET_NOT_FOUND', 'i-00000000000000000', /there is no instance i-0+ in/],
  ])('is %s by %s', async (code, text, message) => {
    await expect(find(text)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });

  it('is given a key', async () => {
    const { publicKey } = makeKeyPair('scenario');
    const [instanceId = ''] = ids;
    await expect(pushKey({ instanceId, user: 'ec2-user', publicKey }, caller)).resolves.toBeUndefined();
  });
});
