/** Which Region is called on a host: the setting's, the ARNs', or the environment's. */
import { expect, it } from '@jest/globals';
import { callerOnHost } from '../../src/host/caller.ts';
import { parseReference } from '../../src/keys/reference.ts';

const arn = 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key';
const other = 'arn:aws:secretsmanager:eu-west-2:111122223333:secret:ci/key';
const chinese = 'arn:aws-cn:ssm:cn-north-1:111122223333:parameter/ci/key';

async function regionsOf(texts: readonly string[], env: object, region?: string): Promise<readonly string[]> {
  const host = { region, roles: [], timeoutSeconds: 30 };
  return (await callerOnHost(host, { ...env }, texts.map(parseReference))).regions;
}

it.each([
  [[arn], 'eu-west-1'],
  [[other, arn], 'eu-west-2'],
  [[chinese], 'cn-north-1'],
])('%j have a Region of their own, whatever the environment says', async (texts, region) => {
  expect(await regionsOf(texts, {})).toEqual([region]);
  expect(await regionsOf(texts, { AWS_REGION: 'us-east-1' })).toEqual([region]);
  expect(await regionsOf(texts, { AWS_REGION: 'auto', AWS_DEFAULT_REGION: 'us-east-1' })).toEqual([region]);
});

it('A Region that is set for our programs is the one of STS, also for ARNs', async () => {
  expect(await regionsOf([arn], { AWS_REGION: 'us-east-1' }, 'eu-west-3')).toEqual(['eu-west-3']);
});

it.each([[[]], [['/ci/key']], [[arn, '/ci/passphrase']]])(
  '%j need the Region of the environment',
  async (texts) => {
    expect(await regionsOf(texts, { AWS_REGION: 'us-east-1' })).toEqual(['us-east-1']);
    await expect(regionsOf(texts, { AWS_REGION: 'auto' })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  },
);
