/** Faults of the job's token, the Region, credentials, roles and stored keys, for doctor to find. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACCOUNT, allow, REGION } from '../../support/aws/world.ts';
import { INSTANCE_ROLE } from '../../support/ec2-host.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { permitPrinted, setVariable, type DoctorStage, type Fault } from './stage.ts';

const place = { account: ACCOUNT, region: REGION };
const role = `arn:aws:iam::${ACCOUNT}:role/reader`;

const ofCredentials: readonly Fault[] = [
  {
    ...{ fault: 'the job has no id-token: write', check: 'oidc', status: 'warn', detail: /OIDC_UNAVAILABLE/ },
    break: setVariable('GITHUB_ACTIONS', 'true'),
    advice: /give the job "permissions: \{ id-token: write/,
    repair: ({ host, world }) => Object.assign(host.env, world.aws.actionsEnvironment()),
  },
  {
    ...{
      fault: 'a container has one of the two variables',
      check: 'oidc',
      status: 'fail',
      detail: /only ACTIONS_ID_TOKEN_REQUEST_URL is set/,
    },
    break: setVariable('ACTIONS_ID_TOKEN_REQUEST_URL', 'http://127.0.0.1:9'),
    advice: /pass both variables/,
    repair: ({ host, world }) => Object.assign(host.env, world.aws.actionsEnvironment()),
  },
  {
    ...{
      fault: 'the token file is not there',
      check: 'oidc AWS_WEB_IDENTITY_TOKEN_FILE',
      status: 'fail',
      detail: /AWS_WEB_IDENTITY_TOKEN_FILE names .*not there/,
    },
    break: (stage) => {
      setVariable('AWS_WEB_IDENTITY_TOKEN_FILE', join(stage.host.home, 'token'))(stage);
    },
    advice: /check that the step or the service that writes the token has run/,
    repair: async ({ host, world }) => {
      writeFileSync(join(host.home, 'token'), await world.aws.oidc.issueToken());
    },
  },
  {
    ...{ fault: 'no Region is known', check: 'region', status: 'fail', detail: /REGION_MISSING/ },
    break: (stage) => {
      stage.metadata({ access: 'disabled' });
    },
    fill: { REGION },
  },
  {
    ...{
      fault: 'the Region is no Region',
      check: 'region',
      status: 'fail',
      detail: /INPUT_INVALID: SSM_SSH_REGION is not a region: "Ireland"/,
    },
    break: setVariable('SSM_SSH_REGION', 'Ireland'),
    fill: { REGION },
  },
  {
    ...{
      fault: 'the instance has no role',
      check: 'identity',
      status: 'fail',
      detail: /CREDENTIALS_MISSING/,
    },
    break: (stage) => {
      stage.metadata({ roleArn: undefined });
    },
    advice: /on EC2 give the instance a role/,
    repair: (stage) => {
      stage.metadata({ roleArn: INSTANCE_ROLE });
    },
  },
  {
    ...{
      fault: 'the credentials have expired',
      check: 'identity',
      status: 'fail',
      detail: /CREDENTIALS_EXPIRED/,
    },
    break: (stage) => {
      stage.metadata({ roleSeconds: -600 });
    },
    advice: /check the clock of this machine: the credentials were asked for anew/,
    repair: (stage) => {
      stage.metadata();
    },
  },
  {
    ...{
      fault: 'the credentials end soon',
      check: 'credentials',
      status: 'warn',
      detail: /from the instance's role, until .*end in \d minutes/,
    },
    break: (stage) => {
      stage.metadata({ roleSeconds: 200 });
    },
    advice: /get new credentials/,
    repair: (stage) => {
      stage.metadata();
    },
  },
  {
    ...{
      fault: 'the profile does not exist',
      check: 'identity',
      status: 'fail',
      detail: /CREDENTIALS_MISSING.*no profile gone/,
    },
    break: setVariable('AWS_PROFILE', 'gone'),
  },
  {
    ...{
      fault: 'half of an access key is set',
      check: 'credential variables',
      status: 'fail',
      detail: /AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not/,
    },
    break: setVariable('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE'),
  },
  {
    ...{
      fault: 'the role does not trust the instance',
      check: `role ${role}`,
      status: 'fail',
      detail: /ASSUME_ROLE_DENIED/,
    },
    break: (stage) => {
      setVariable('SSM_SSH_ROLE_ARN', role)(stage);
    },
    advice: /let the role's trust policy name .*build-machine.*and allow it \{.*sts:AssumeRole/,
    repair: (stage) => {
      const trusting = {
        Effect: 'Allow',
        Principal: { AWS: INSTANCE_ROLE },
        Action: 'sts:AssumeRole',
      } as const;
      stage.world.aws.iam.createRole({
        arn: role,
        trustPolicy: { Version: '2012-10-17', Statement: [trusting] },
        policies: [allow('ssm:GetParameter', '*')],
      });
      stage.permit([allow('sts:AssumeRole', role)]);
    },
  },
];

type WithoutName<F> = F extends Fault ? Omit<F, 'fault' | 'check'> : never;
/** A key that is configured under another reference. */
const stored = (fault: string, check: string, more: WithoutName<Fault>): Fault => ({
  fault,
  check,
  ...more,
});
/** `put` is run by a person who may store keys; FILE is the private key. */
const storing = {
  allow: (stage: DoctorStage): void => {
    stage.permit([allow(['ssm:PutParameter', 'ssm:GetParameter*', 'ssm:DescribeParameters'], '*')]);
  },
  fill: (stage: DoctorStage) => ({ FILE: stage.write('new-key', stage.key.privateKey) }),
};
const kmsKey = { arn: '' };

const ofSecrets: readonly Fault[] = [
  stored('the parameter does not exist', 'read /ci/gone', {
    ...{ status: 'fail', detail: /KEY_NOT_FOUND/ },
    break: (stage) => {
      stage.configure([], ['key = /ci/gone']);
    },
    ...storing,
  }),
  stored('the version does not exist', 'read /ci/key:2', {
    ...{ status: 'fail', detail: /KEY_VERSION_NOT_FOUND/ },
    break: (stage) => {
      stage.configure([], ['key = /ci/key:2']);
    },
    advice: /list them: aws ssm get-parameter-history/,
    // One of the list.
    repair: (stage) => {
      stage.configure([], ['key = /ci/key:1']);
    },
    after: 'read /ci/key:1',
  }),
  stored('the role may not read it', 'read /other/key', {
    ...{ status: 'fail', detail: /KEY_ACCESS_DENIED/ },
    break: (stage) => {
      stage.world.put('/other/key', stage.key.privateKey);
      stage.configure([], ['key = /other/key']);
    },
    advice: /add to the role's policy: \{/,
    repair: permitPrinted,
  }),
  stored('the role may not decrypt it', 'read /ci/sealed', {
    ...{ status: 'fail', detail: /KMS_ACCESS_DENIED/ },
    break: (stage) => {
      kmsKey.arn = stage.world.aws.kms.createKey(place);
      stage.world.put('/ci/sealed', stage.key.privateKey, { keyId: kmsKey.arn });
      stage.configure([], ['key = /ci/sealed']);
    },
    advice: /add to the role's policy, with the parameter's KMS key: \{.*kms:Decrypt/,
    repair: (stage, finding) => {
      permitPrinted(stage, { ...finding, remedy: finding.remedy.replace(/arn:aws:kms:[^"]*/, kmsKey.arn) });
    },
  }),
  stored('the KMS key is disabled', 'read /ci/sealed', {
    ...{ status: 'fail', detail: /KMS_KEY_UNUSABLE/ },
    break: (stage) => {
      const arn = stage.world.aws.kms.createKey({ ...place, state: 'Disabled' });
      kmsKey.arn = arn;
      stage.world.put('/ci/sealed', stage.key.privateKey, { keyId: arn });
      stage.permit([allow('kms:Decrypt', arn)]);
      stage.configure([], ['key = /ci/sealed']);
    },
    advice: /aws kms enable-key --key-id ID/,
    repair: ({ world }) => {
      world.aws.kms.setState(kmsKey.arn, 'Enabled');
    },
  }),
  stored('the parameter is a plain String', 'read /ci/plain', {
    ...{ status: 'warn', detail: /plain String/ },
    break: (stage) => {
      stage.world.put('/ci/plain', stage.key.privateKey, { type: 'String' });
      stage.configure([], ['key = /ci/plain']);
    },
    ...storing,
    fill: (stage) => ({ ...storing.fill(stage), NEW_NAME: '/ci/sealed-key' }),
    after: 'read /ci/sealed-key',
  }),
  stored('the public key is stored', 'key /ci/key', {
    ...{ status: 'fail', detail: /KEY_NOT_PRIVATE: .*a public key/ },
    break: ({ world, key }) => world.put('/ci/key', key.publicKey),
    ...storing,
  }),
  stored('the key is cut off', 'key /ci/key', {
    ...{ status: 'fail', detail: /KEY_MALFORMED/ },
    break: ({ world, key }) => world.put('/ci/key', key.privateKey.slice(0, 200)),
    ...storing,
  }),
  stored('the key has a passphrase', 'key /ci/key', {
    ...{ status: 'fail', detail: /KEY_ENCRYPTED/ },
    break: async ({ world }) =>
      world.put('/ci/key', (await makeSshKey({ passphrase: 'correct horse' })).privateKey),
    allow: ({ world }) => world.put('/ci/passphrase', 'correct horse'),
    fill: { REF: '/ci/passphrase' },
  }),
  stored('the passphrase is wrong', 'key /ci/key', {
    ...{ status: 'fail', detail: /PASSPHRASE_WRONG/ },
    break: async (stage) => {
      stage.world.put('/ci/key', (await makeSshKey({ passphrase: 'correct horse' })).privateKey);
      stage.world.put('/ci/passphrase', 'wrong horse');
      stage.configure([], ['key = /ci/key', 'passphrase = /ci/passphrase']);
    },
    advice: /check which parameter or secret passphrase= names/,
    repair: ({ world }) => world.put('/ci/passphrase', 'correct horse'),
  }),
  stored('the token has expired', 'credential /ci/token', {
    ...{ status: 'fail', detail: /CREDENTIAL_INVALID.*expired/ },
    break: ({ world }) =>
      world.put('/ci/token', JSON.stringify({ password: 'abc', password_expiry_utc: 1_700_000_000 })),
    advice: /store a new one there/,
    repair: ({ world }) => world.put('/ci/token', 'ghp_0123456789abcdefghij'),
  }),
];

export const faultsOfAws: readonly Fault[] = [...ofCredentials, ...ofSecrets];
