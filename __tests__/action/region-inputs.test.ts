/** Which Region the action uses: the input's, the ARNs', or the environment's. */
import { describe, expect, it } from '@jest/globals';
import { parseInputs } from '../../src/action/inputs.ts';
import { hostRegions } from '../../src/action/region-inputs.ts';
import { failureOf } from '../support/failure-of.ts';
import { stepEnvironment } from './step-environment.ts';

const parameter = 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key';
const secret = 'arn:aws:secretsmanager:eu-west-2:111122223333:secret:ci/key';
const kms = 'arn:aws:kms:eu-west-3:111122223333:alias/key';
const chinese = 'arn:aws-cn:ssm:cn-north-1:111122223333:parameter/ci/key';
const AWS_REGION = 'us-east-1';

function regionsOf(keys: string, env: Readonly<Record<string, string>>): readonly string[] {
  return parseInputs(stepEnvironment({ keys }, env)).regions;
}

describe('the Region of the keys', () => {
  it.each([
    [parameter, 'eu-west-1'],
    [chinese, 'cn-north-1'],
    [`${secret}\n${parameter}`, 'eu-west-2'],
    [kms, 'eu-west-3'],
    [`${parameter} passphrase=${secret} certificate=${secret}`, 'eu-west-1'],
    [`new:ed25519 ca=${kms} principals=ci`, 'eu-west-3'],
    [`${secret} as=github-app github.com/acme`, 'eu-west-2'],
    [`${secret} as=github-app github.com/acme\n${kms}`, 'eu-west-3'],
  ])('is that of the ARNs if everything is an ARN, whatever the environment says: %j', (keys, region) => {
    expect(regionsOf(keys, {})).toEqual([region]);
    expect(regionsOf(keys, { AWS_REGION })).toEqual([region]);
    expect(regionsOf(keys, { AWS_REGION: 'auto', AWS_DEFAULT_REGION: AWS_REGION })).toEqual([region]);
  });

  it.each([
    `${parameter}\n/ci/other`,
    `${parameter} passphrase=/ci/passphrase`,
    `${parameter} certificate=/ci/certificate`,
    `${parameter} ca=kms:alias/ca principals=ci`,
    `${parameter}\nkms:alias/key`,
    `${parameter}\n/ci/app as=github-app github.com/acme`,
  ])('is that of the environment if something is not an ARN: %j', (keys) => {
    expect(regionsOf(keys, { AWS_REGION })).toEqual([AWS_REGION]);
    expect(failureOf(() => regionsOf(keys, { AWS_REGION: 'auto' }))).toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('is that of the input, also for ARNs', () => {
    const given = { keys: parameter, 'aws-region': 'ap-south-1, eu-west-1' };
    expect(parseInputs(stepEnvironment(given, { AWS_REGION })).regions).toEqual(['ap-south-1', 'eu-west-1']);
  });
});

describe('the Region of EC2 hosts', () => {
  it.each([
    [{}, { AWS_REGION }, [AWS_REGION]],
    [{}, { AWS_REGION: ' ', AWS_DEFAULT_REGION: `${AWS_REGION}\n` }, [AWS_REGION]],
    [{}, { AWS_REGION: 'auto' }, []],
    [{}, {}, []],
    [{ 'aws-region': 'ap-south-1' }, { AWS_REGION }, ['ap-south-1']],
  ])(
    'with the input %j and the environment %j is %j, whatever the ARNs of the keys say',
    (given, env, regions) => {
      const step = stepEnvironment({ keys: parameter, ...given }, env);
      expect(hostRegions(step, parseInputs(step).regions)).toEqual(regions);
    },
  );
});
