/** Faults of keys in KMS, and of authorities of certificates, for doctor to find. */
import { ACCOUNT, allow, REGION } from '../../support/aws/world.ts';
import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import { INSTANCE_ROLE } from '../../support/ec2-host.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { makeKmsKey, maySign, place } from '../kms/kms-keys.ts';
import { setVariable, type DoctorStage, type Fault } from './stage.ts';

type WithoutName<F> = F extends Fault ? Omit<F, 'fault' | 'check'> : never;
const kms = (fault: string, check: string, more: WithoutName<Fault>): Fault => ({ fault, check, ...more });

const reading = 'public key kms:alias/deploy';
const signing = 'sign with kms:alias/deploy';

/** The key of the section, whose instance may sign. */
export function useKmsKey(stage: DoctorStage, spec?: string, lines = ['key = kms:alias/deploy']): string {
  const { arn, publicKey } = makeKmsKey(stage.world, 'deploy', spec);
  stage.git.addDeployKey({ repository: 'acme/lib', publicKey, write: true });
  stage.permit([maySign]);
  stage.configure([], lines);
  return arn;
}

const ofCertificate = ['key = new:ed25519', 'ca = kms:alias/ca', 'principals = deploy'];

/** The key of the section logs in by a certificate, for which the repository trusts the authority. */
export function useAuthority(stage: DoctorStage, lines: readonly string[] = ofCertificate): string {
  const { arn, publicKey } = makeKmsKey(stage.world, 'ca');
  stage.git.addDeployKey({ repository: 'acme/lib', publicKey, write: true, authority: true });
  stage.permit([maySign]);
  stage.configure([], lines);
  return arn;
}

const inState = (stage: DoctorStage, state: 'Disabled' | 'PendingDeletion'): void => {
  key.arn = useKmsKey(stage);
  stage.world.aws.signingKeys.setState(key.arn, state);
  stage.keepCalls('aws');
};
const key = { arn: '' };

/** What the AWS CLI does, which a test cannot run. */
const enabledBy =
  (...operations: readonly string[]) =>
  (stage: DoctorStage): void => {
    const calls = operations.map((one) => `kms ${one} --region ${REGION} --key-id ${key.arn}`);
    if (stage.calls('aws') === calls.join('\n')) stage.world.aws.signingKeys.setState(key.arn, 'Enabled');
  };

/** Unlike permitPrinted, with several actions and a condition. */
export const permitStatement = (stage: DoctorStage, { remedy }: Finding): void => {
  const statement = JSON.parse(/\{.*\}/.exec(remedy)?.[0] ?? '') as object;
  stage.permit([{ Version: '2012-10-17', Statement: [statement] } as PolicyDocument]);
};
export const policyAdvice = /add to the role's policy: \{.*"kms:RequestAlias"/;

/** `keygen` and `put` are run by a person who may make keys. */
const making = {
  allow: (stage: DoctorStage): void => {
    stage.permit([allow('kms:*', '*')]);
  },
};
const remaking = {
  ...{ ...making, fill: { NEW_NAME: 'made' }, after: 'public key kms:alias/made' },
};

const ofKeys: readonly Fault[] = [
  kms('there is no such alias', reading, {
    ...{ status: 'fail', detail: /KEY_NOT_FOUND: .*alias\/deploy is not found.*check the name, the region/ },
    break: (stage) => {
      stage.permit([maySign]);
      stage.configure([], ['key = kms:alias/deploy']);
    },
    ...making,
  }),
  {
    ...{ fault: 'the key is in another Region', status: 'fail', detail: /KEY_NOT_FOUND/ },
    check: () => `public key kms:${key.arn.replace(/.*\//, '')}`,
    break: (stage) => {
      key.arn = stage.world.aws.signingKeys.create({ account: ACCOUNT, region: 'eu-central-1' });
      stage.permit([allow(['kms:GetPublicKey', 'kms:Sign'], key.arn)]);
      stage.configure([], [`key = kms:${key.arn.replace(/.*\//, '')}`]);
    },
    advice: /check the name, the region and the account/,
    repair: (stage) => {
      stage.configure([], [`key = ${key.arn}`]);
    },
    after: () => `public key ${key.arn}`,
  },
  kms('the key is disabled', reading, {
    ...{ status: 'fail', detail: /KMS_KEY_UNUSABLE: .*is disabled/ },
    break: (stage) => {
      inState(stage, 'Disabled');
    },
    behind: 'enable it: ',
    effect: enabledBy('enable-key'),
  }),
  kms('the key waits for its deletion', reading, {
    ...{ status: 'fail', detail: /KMS_KEY_UNUSABLE: .*is pending deletion/ },
    break: (stage) => {
      inState(stage, 'PendingDeletion');
    },
    behind: 'stop its deletion, and enable it: ',
    effect: enabledBy('cancel-key-deletion', 'enable-key'),
  }),
  kms('the key is symmetric', reading, {
    ...{ status: 'fail', detail: /KEY_UNSUPPORTED: .*SYMMETRIC_DEFAULT/ },
    break: (stage) => {
      const spec = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', alias: 'alias/deploy' };
      stage.world.aws.signingKeys.create({ ...place, ...spec });
      stage.permit([maySign]);
      stage.configure([], ['key = kms:alias/deploy']);
    },
    ...remaking,
  }),
  kms('the key is for encryption', reading, {
    ...{ status: 'fail', detail: /KEY_UNSUPPORTED: .*is for ENCRYPT_DECRYPT, and not for signatures/ },
    break: (stage) => {
      const spec = { spec: 'RSA_2048', usage: 'ENCRYPT_DECRYPT', alias: 'alias/deploy' };
      stage.world.aws.signingKeys.create({ ...place, ...spec });
      stage.permit([maySign]);
      stage.configure();
      setVariable('SSM_SSH_KEY', 'kms:alias/deploy')(stage);
    },
    ...remaking,
  }),
  kms('SSH does not know the curve of the key', reading, {
    ...{ status: 'fail', detail: /KEY_UNSUPPORTED: .*is of a type that SSH does not have/ },
    break: (stage) => {
      const spec = { spec: 'ECC_SECG_P256K1', alias: 'alias/deploy' };
      stage.world.aws.signingKeys.create({ ...place, ...spec });
      stage.permit([maySign]);
      stage.configure([], ['key = kms:alias/deploy']);
    },
    ...remaking,
  }),
  kms('kms:GetPublicKey is not allowed', reading, {
    ...{ status: 'fail', detail: /KEY_ACCESS_DENIED: reading the public key of .*kms:GetPublicKey/ },
    break: (stage) => {
      useKmsKey(stage);
      stage.permit([allow('kms:Sign', '*')]);
    },
    ...{ advice: policyAdvice, repair: permitStatement },
  }),
  kms('kms:Sign is not allowed', signing, {
    ...{ status: 'fail', detail: /KEY_ACCESS_DENIED: signing with .*kms:Sign/ },
    break: (stage) => {
      useKmsKey(stage);
      stage.permit([allow('kms:GetPublicKey', '*')]);
    },
    ...{ advice: policyAdvice, repair: permitStatement },
  }),
  kms('one algorithm is not allowed', signing, {
    ...{ status: 'warn', detail: /^only rsa-sha2-256 is allowed, and ssh may choose rsa-sha2-512: KEY_ACC/ },
    break: (stage) => {
      useKmsKey(stage, 'RSA_2048');
      const Condition = { StringEquals: { 'kms:SigningAlgorithm': 'RSASSA_PKCS1_V1_5_SHA_256' } };
      const sign = { Effect: 'Allow', Action: 'kms:Sign', Resource: '*', Condition } as const;
      stage.permit([allow('kms:GetPublicKey', '*'), { Version: '2012-10-17', Statement: [sign] }]);
    },
    ...{ advice: policyAdvice, repair: permitStatement },
  }),
  kms('the policy of the key does not allow it', reading, {
    ...{ status: 'fail', detail: /KEY_ACCESS_DENIED: .*no resource-based policy allows/ },
    break: (stage) => {
      key.arn = useKmsKey(stage);
      stage.world.aws.signingKeys.setPolicy(key.arn, { Statement: [] });
    },
    advice: /add to the policy of the key, with your role as Principal: \{/,
    repair: ({ world }, { remedy }) => {
      const statement = JSON.parse(/\{.*\}/.exec(remedy)?.[0] ?? '') as object;
      const Statement = [{ ...statement, Principal: { AWS: INSTANCE_ROLE } }];
      world.aws.signingKeys.setPolicy(key.arn, { Statement } as unknown as PolicyDocument);
    },
  }),
  {
    ...{ fault: 'the reference has no alias/ in it', status: 'fail', detail: /INPUT_INVALID/ },
    check: (stage) => `read [ssm "${stage.section}"]`,
    break: (stage) => {
      useKmsKey(stage, undefined, ['key = kms:deploy']);
    },
    after: reading,
  },
  {
    ...{ fault: 'a rule of the key cannot be read', status: 'fail', detail: /INPUT_INVALID: .*uses is not/ },
    check: (stage) => `read [ssm "${stage.section}"]`,
    break: (stage) => {
      useKmsKey(stage, undefined, ['key = kms:alias/deploy', 'uses = many']);
    },
    advice: /^write 1 to /,
    repair: (stage) => {
      stage.configure([], ['key = kms:alias/deploy', 'uses = 5']);
    },
    after: reading,
  },
  kms('two sections name the repository, with keys of two agents', 'ssm sections', {
    ...{ status: 'warn', detail: /its key is in another agent, and ssh asks one/ },
    break: (stage) => {
      useKmsKey(stage);
      stage.configure([`[ssm "ssh://${stage.section}"]`, 'key = /ci/key'], ['key = kms:alias/deploy']);
    },
  }),
  kms('AWS_ENDPOINT_URL_KMS is http://127.0.0.1:9', 'network kms', {
    ...{ status: 'fail', detail: /NETWORK_UNREACHABLE: kms .*ECONNREFUSED/ },
    break: (stage) => {
      useKmsKey(stage);
      setVariable('AWS_ENDPOINT_URL_KMS', 'http://127.0.0.1:9')(stage);
    },
  }),
];

const ofAuthorities: readonly Fault[] = [
  kms('the role may not use the authority', 'sign with kms:alias/ca', {
    ...{ status: 'fail', detail: /KEY_ACCESS_DENIED: signing with the KMS key kms:alias\/ca/ },
    break: (stage) => {
      useAuthority(stage);
      stage.permit([allow('kms:GetPublicKey', '*')]);
    },
    ...{ advice: policyAdvice, repair: permitStatement },
  }),
  kms('there is no such authority', 'public key kms:alias/ca', {
    ...{ status: 'fail', detail: /KEY_NOT_FOUND/ },
    break: (stage) => {
      stage.permit([maySign]);
      stage.configure([], ofCertificate);
    },
    ...making,
  }),
  kms('the authority is a key for encryption', 'public key kms:alias/ca', {
    ...{ status: 'fail', detail: /KEY_UNSUPPORTED/ },
    break: (stage) => {
      const spec = { spec: 'RSA_2048', usage: 'ENCRYPT_DECRYPT', alias: 'alias/ca' };
      stage.world.aws.signingKeys.create({ ...place, ...spec });
      stage.permit([maySign]);
      stage.configure([], ofCertificate);
    },
    ...remaking,
  }),
  kms('the authority is a stored key', 'authority /ci/ca', {
    ...{ status: 'warn', detail: /whoever can read the authority \/ci\/ca can sign any certificate/ },
    break: (stage) => {
      stage.world.put('/ci/ca', stage.key.privateKey);
      stage.configure([], ['key = new:ed25519', 'ca = /ci/ca', 'principals = deploy']);
    },
    ...making,
    fill: (stage) => ({ NAME: 'ca', FILE: stage.write('ca', stage.key.privateKey) }),
    after: 'sign with kms:alias/ca',
  }),
  {
    ...{ fault: 'a new key has no authority', status: 'fail', detail: /INPUT_INVALID: .*ca is missing/ },
    check: (stage) => `read [ssm "${stage.section}"]`,
    break: (stage) => {
      useAuthority(stage, ['key = new:ed25519']);
    },
    advice: /name the authority that the host trusts: \S+\.ca = kms:alias\/NAME and \S+\.principals = NAME/,
    repair: (stage) => {
      stage.configure([], ofCertificate);
    },
    after: 'sign with kms:alias/ca',
  },
];

const ofApps: readonly Fault[] = [
  kms('the key of a GitHub App may not sign', 'credential /ci/token', {
    ...{ status: 'fail', detail: /KEY_ACCESS_DENIED: signing with the KMS key kms:alias\/app/ },
    break: (stage) => {
      makeKmsKey(stage.world, 'app', 'RSA_2048');
      stage.world.put('/ci/token', JSON.stringify({ app_id: 1, private_key: 'kms:alias/app' }));
    },
    advice: /add to the role's policy: \{.*"Action":"kms:Sign"/,
    repair: permitStatement,
  }),
  kms('the key of a GitHub App is not RSA', 'credential /ci/token', {
    ...{ status: 'fail', detail: /KEY_UNSUPPORTED: .*kms:alias\/app/ },
    break: (stage) => {
      makeKmsKey(stage.world, 'app');
      stage.permit([maySign]);
      stage.world.put('/ci/token', JSON.stringify({ app_id: 1, private_key: 'kms:alias/app' }));
    },
    advice: /move the \.pem file that GitHub made into KMS: ssm-ssh-agent put kms:alias\/NAME FILE/,
    repair: ({ world }) => {
      world.aws.signingKeys.setAlias(place, 'alias/app', makeKmsKey(world, 'rsa', 'RSA_2048').arn);
    },
  }),
];

export const faultsOfKms: readonly Fault[] = [...ofKeys, ...ofAuthorities, ...ofApps];
