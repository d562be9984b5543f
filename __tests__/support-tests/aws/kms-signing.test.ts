/** KMS's keys that sign, as the real SDK sees them. */
import {
  constants,
  createCipheriv,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  verify,
} from 'node:crypto';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  ListAliasesCommand,
  PutKeyPolicyCommand,
  SignCommand,
  UpdateAliasCommand,
  type CreateKeyCommandInput,
  type SignCommandInput,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { startLocalAws, type LocalAws, type PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION } from '../../support/aws/world.ts';
import { failureOf } from './clients.ts';

const place = { account: ACCOUNT, region: REGION };
let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

function client(...policies: PolicyDocument[]): KMSClient {
  const credentials = aws.iam.createAccessKey({ userArn: `arn:aws:iam::${ACCOUNT}:user/signer`, policies });
  return new KMSClient({ region: REGION, endpoint: aws.endpoint, maxAttempts: 1, credentials });
}
const all = allow('kms:*', '*');
const data = Buffer.from('data');
const signInput = (KeyId: string, more: Partial<SignCommandInput> = {}): SignCommandInput => ({
  ...{ KeyId, Message: data, MessageType: 'RAW', SigningAlgorithm: 'ECDSA_SHA_256' },
  ...more,
});

describe('a signature', () => {
  test.each([
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'sha256'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_512', 'sha512'],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'sha256'],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', 'sha384'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', 'sha512'],
  ] as const)(
    'of %s by %s is the same over data and over its digest',
    async (spec, SigningAlgorithm, hash) => {
      const kms = client(all);
      const KeyId = aws.signingKeys.create({ ...place, spec });
      const { PublicKey = new Uint8Array(), SigningAlgorithms } = await kms.send(
        new GetPublicKeyCommand({ KeyId }),
      );
      expect(SigningAlgorithms).toContain(SigningAlgorithm);
      const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
      const raw = await kms.send(new SignCommand(signInput(KeyId, { SigningAlgorithm })));
      const digest = {
        SigningAlgorithm,
        MessageType: 'DIGEST',
        Message: createHash(hash).update(data).digest(),
      } as const;
      const ofDigest = await kms.send(new SignCommand(signInput(KeyId, digest)));
      for (const { Signature = new Uint8Array(), ...answer } of [raw, ofDigest]) {
        expect(answer).toMatchObject({ KeyId, SigningAlgorithm });
        expect(verify(hash, data, key, Signature)).toBe(true);
      }
    },
  );

  test('of Ed25519 is over the data only', async () => {
    const kms = client(all);
    const KeyId = aws.signingKeys.create({ ...place, spec: 'ECC_NIST_EDWARDS25519' });
    const { PublicKey = new Uint8Array() } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
    const SigningAlgorithm = 'ED25519_SHA_512';
    const { Signature = new Uint8Array() } = await kms.send(
      new SignCommand(signInput(KeyId, { SigningAlgorithm })),
    );
    expect(verify(null, data, key, Signature)).toBe(true);
    const digest = { SigningAlgorithm, MessageType: 'DIGEST', Message: randomBytes(64) } as const;
    expect(await failureOf(kms.send(new SignCommand(signInput(KeyId, digest))))).toMatchObject({
      name: 'ValidationException',
    });
  });

  test('has limits', async () => {
    const kms = client(all);
    const KeyId = aws.signingKeys.create(place);
    const refused = async (more: Partial<SignCommandInput>): Promise<string> =>
      (await failureOf(kms.send(new SignCommand(signInput(KeyId, more))))).name;
    await kms.send(new SignCommand(signInput(KeyId, { Message: randomBytes(4096) })));
    expect(await refused({ Message: randomBytes(4097) })).toBe('ValidationException');
    expect(await refused({ MessageType: 'DIGEST', Message: randomBytes(31) })).toBe('ValidationException');
    expect(await refused({ SigningAlgorithm: 'ECDSA_SHA_384' })).toBe('InvalidKeyUsageException');
  });
});

describe('a key', () => {
  test.each([
    ['Disabled', 'DisabledException', /is disabled\.$/],
    ['PendingDeletion', 'KMSInvalidStateException', /is pending deletion\.$/],
  ] as const)('in the state %s signs nothing', async (state, name, message) => {
    const key = aws.signingKeys.create(place);
    aws.signingKeys.setState(key, state);
    expect(await failureOf(client(all).send(new SignCommand(signInput(key))))).toEqual({
      ...{ name, status: 400 },
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['alias/none', /^Alias arn:aws:kms:eu-west-1:111122223333:alias\/none is not found\.$/],
    ['1234abcd-12ab-34cd-56ef-1234567890ab', /^Key 'arn:.*' does not exist$/],
    ['x', /^Invalid keyId 'x'$/],
  ])('%s is not found', async (KeyId, message) => {
    expect(await failureOf(client(all).send(new GetPublicKeyCommand({ KeyId })))).toMatchObject({
      name: 'NotFoundException',
      message: expect.stringMatching(message),
    });
  });

  test('that encrypts does not sign', async () => {
    const kms = client(all);
    const make = async (input: CreateKeyCommandInput): Promise<string> =>
      (await kms.send(new CreateKeyCommand(input))).KeyMetadata?.Arn ?? '';
    const symmetric = await make({});
    expect((await failureOf(kms.send(new GetPublicKeyCommand({ KeyId: symmetric })))).name).toBe(
      'UnsupportedOperationException',
    );
    const rsa = await make({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    const SigningAlgorithm = 'RSASSA_PKCS1_V1_5_SHA_256';
    expect(await failureOf(kms.send(new SignCommand(signInput(rsa, { SigningAlgorithm }))))).toMatchObject({
      name: 'InvalidKeyUsageException',
      message: expect.stringContaining('key usage is ENCRYPT_DECRYPT'),
    });
  });

  test('may be described, and found by its aliases', async () => {
    const kms = client(all);
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ KeySpec: 'ECC_NIST_P384', KeyUsage: 'SIGN_VERIFY', Description: 'deploys' }),
    );
    const TargetKeyId = KeyMetadata?.KeyId ?? '';
    const AliasName = 'alias/described';
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }));
    expect(await kms.send(new DescribeKeyCommand({ KeyId: AliasName }))).toMatchObject({ KeyMetadata });
    expect(KeyMetadata).toMatchObject({
      KeySpec: 'ECC_NIST_P384',
      Description: 'deploys',
      KeyState: 'Enabled',
    });
    expect((await failureOf(kms.send(new CreateAliasCommand({ AliasName, TargetKeyId })))).name).toBe(
      'AlreadyExistsException',
    );
    const other = aws.signingKeys.create({ ...place, spec: 'ECC_NIST_P384' });
    await kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: other }));
    const { Aliases = [] } = await kms.send(new ListAliasesCommand({ KeyId: other }));
    expect(Aliases.map((one) => one.AliasName)).toEqual([AliasName]);
    const signed = await kms.send(
      new SignCommand(signInput(AliasName, { SigningAlgorithm: 'ECDSA_SHA_384' })),
    );
    expect(signed.KeyId).toBe(other);
  });
});

describe('a dry run', () => {
  const run = (
    KeyId: string,
    more: Partial<SignCommandInput>,
    ...policies: PolicyDocument[]
  ): Promise<unknown> =>
    client(...policies)
      .send(new SignCommand(signInput(KeyId, { DryRun: true, ...more })))
      .catch((error: unknown) => error);

  test('of what would succeed is refused as a dry run, and all else as without it', async () => {
    const arn = aws.signingKeys.create(place);
    expect(await run(arn, {}, all)).toMatchObject({
      name: 'DryRunOperationException',
      $metadata: { httpStatusCode: 412 },
    });
    expect(await run(arn, {}, allow('kms:GetPublicKey', '*'))).toMatchObject({
      name: 'AccessDeniedException',
    });
    const other = { SigningAlgorithm: 'ECDSA_SHA_384' } as const;
    expect(await run(arn, other, all)).toMatchObject({ name: 'InvalidKeyUsageException' });
    aws.signingKeys.setState(arn, 'Disabled');
    expect(await run(arn, {}, all)).toMatchObject({ name: 'DisabledException' });
  });
});

describe('permission', () => {
  const when = (Condition: object): PolicyDocument => ({
    Statement: { Effect: 'Allow', Action: 'kms:Sign', Resource: '*', Condition } as never,
  });

  test.each([
    ['kms:SigningAlgorithm', 'ECDSA_SHA_256', 'ECDSA_SHA_384'],
    ['kms:MessageType', 'RAW', 'DIGEST'],
    ['kms:RequestAlias', 'alias/conditions', 'alias/other'],
    ['kms:CallerAccount', ACCOUNT, '444455556666'],
  ])('depends on %s', async (name, right, wrong) => {
    if (aws.signingKeys.aliases().length === 0 || name === 'kms:SigningAlgorithm')
      aws.signingKeys.create({ ...place, alias: 'alias/conditions' });
    const sign = (value: string): Promise<unknown> =>
      client(when({ StringEquals: { [name]: value } })).send(new SignCommand(signInput('alias/conditions')));
    await sign(right);
    expect((await failureOf(sign(wrong))).name).toBe('AccessDeniedException');
  });

  test('depends on kms:ResourceAliases, and on the key itself', async () => {
    const key = aws.signingKeys.create({ ...place, alias: 'alias/one' });
    aws.signingKeys.setAlias(place, 'alias/two', key);
    const aliases = when({ 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/two' } });
    await client(aliases).send(new SignCommand(signInput('alias/one')));
    await client(allow('kms:Sign', key)).send(new SignCommand(signInput('alias/one')));
    const other = aws.signingKeys.create(place);
    for (const policy of [aliases, allow('kms:Sign', key)])
      expect(await failureOf(client(policy).send(new SignCommand(signInput(other))))).toEqual({
        ...{ name: 'AccessDeniedException', status: 400 },
        message: `User: arn:aws:iam::${ACCOUNT}:user/signer is not authorized to perform: kms:Sign on resource: ${other} because no identity-based policy allows the kms:Sign action`,
      });
  });

  test('comes from the key policy, too', async () => {
    const KeyId = aws.signingKeys.create(place);
    const policyFor = (AWS: string, Effect = 'Allow'): string =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect, Principal: { AWS }, Action: 'kms:Sign', Resource: '*' }],
      });
    const put = (Policy: string): Promise<unknown> =>
      client(all).send(new PutKeyPolicyCommand({ KeyId, Policy, PolicyName: 'default' }));
    await put(policyFor(`arn:aws:iam::${ACCOUNT}:user/signer`));
    await client().send(new SignCommand(signInput(KeyId)));
    aws.signingKeys.setPolicy(
      KeyId,
      JSON.parse(policyFor(`arn:aws:iam::${ACCOUNT}:user/other`)) as PolicyDocument,
    );
    expect((await failureOf(client(all).send(new SignCommand(signInput(KeyId))))).message).toContain(
      'no resource-based policy allows the kms:Sign action',
    );
  });
});

describe('key material', () => {
  test.each([
    ['RSA_2048', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
    ['ECC_NIST_P521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ] as const)('of %s is imported', async (KeySpec, make) => {
    const kms = client(all);
    const privateKey = make();
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL' }),
    );
    const KeyId = KeyMetadata?.Arn ?? '';
    expect((await failureOf(kms.send(new GetPublicKeyCommand({ KeyId })))).name).toBe(
      'KMSInvalidStateException',
    );
    const { ImportToken, PublicKey = new Uint8Array() } = await kms.send(
      new GetParametersForImportCommand({
        ...{ KeyId, WrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256', WrappingKeySpec: 'RSA_2048' },
      }),
    );
    const secret = randomBytes(32);
    const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
    const cipher = createCipheriv('id-aes256-wrap-pad', secret, Buffer.from('a65959a6', 'hex'));
    const EncryptedKeyMaterial = Buffer.concat([
      publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, secret),
      ...[cipher.update(privateKey.export({ type: 'pkcs8', format: 'der' })), cipher.final()],
    ]);
    const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
    await kms.send(
      new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel }),
    );
    const answer = await kms.send(new GetPublicKeyCommand({ KeyId }));
    const expected = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    expect(Buffer.from(answer.PublicKey ?? []).equals(expected)).toBe(true);
    expect(JSON.stringify(aws.calls)).not.toContain(EncryptedKeyMaterial.toString('base64'));
  });
});

test('calls are logged, and faults are ordered as for other services', async () => {
  const key = aws.signingKeys.create(place);
  aws.forgetCalls();
  aws.faults.order({ operation: 'kms:Sign', fault: 'throttling', times: 1 });
  const kms = client(all);
  expect(await failureOf(kms.send(new SignCommand(signInput(key))))).toMatchObject({
    name: 'ThrottlingException',
    message: expect.stringContaining('You have exceeded the rate'),
  });
  const before = aws.connections();
  await kms.send(new SignCommand(signInput(key)));
  expect(aws.connections()).toBe(before);
  expect(aws.calls.map(({ operation, errorCode }) => [operation, errorCode])).toEqual([
    ['kms:Sign', 'ThrottlingException'],
    ['kms:Sign', undefined],
  ]);
});
