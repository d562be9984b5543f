/** What a rotation asks of KMS beside signatures, as the real SDK sees it. */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
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

function client(policy: PolicyDocument = allow('kms:*', '*')): KMSClient {
  const user = { userArn: `arn:aws:iam::${ACCOUNT}:user/rotation`, policies: [policy] };
  const credentials = aws.iam.createAccessKey(user);
  return new KMSClient({ region: REGION, endpoint: aws.endpoint, maxAttempts: 1, credentials });
}

describe('a KMS key', () => {
  test('has tags and a policy, which are read by its ARN and not by an alias', async () => {
    const kms = client();
    const tags = { team: 'ci' };
    const KeyId = aws.signingKeys.create({ ...place, alias: 'alias/tagged', tags });
    const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId }));
    expect(Tags).toEqual([{ TagKey: 'team', TagValue: 'ci' }]);
    const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId }));
    const other = new GetKeyPolicyCommand({ KeyId, PolicyName: 'other' });
    await expect(kms.send(other)).rejects.toMatchObject({ name: 'NotFoundException' });
    expect(JSON.parse(Policy)).toMatchObject({ Id: 'key-default-1' });
    const alias = { KeyId: 'alias/tagged' };
    for (const command of [new ListResourceTagsCommand(alias), new GetKeyPolicyCommand(alias)])
      expect((await failureOf(kms.send(command as never))).name).toBe('NotFoundException');
  });

  test('is not made with a policy that its maker may not change later', async () => {
    const other = {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/other` },
      Action: 'kms:*',
      Resource: '*',
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [other] });
    const make = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Policy });
    expect(await failureOf(client().send(make))).toMatchObject({
      name: 'MalformedPolicyDocumentException',
      message: 'The new key policy will not allow you to update the key policy in the future.',
    });
  });

  test('is listed by pages, with all others', async () => {
    const kms = client();
    const own = [1, 2, 3].map(() => aws.signingKeys.create(place));
    const found: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await kms.send(new ListKeysCommand({ Limit: 2, ...(Marker && { Marker }) }));
      expect(page.Keys?.length).toBeLessThanOrEqual(2);
      found.push(...(page.Keys ?? []).map(({ KeyArn = '' }) => KeyArn));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(found).toEqual(expect.arrayContaining(own));
  });
});

describe('the deletion of a KMS key', () => {
  const schedule = (KeyId: string, PendingWindowInDays?: number): ScheduleKeyDeletionCommand =>
    new ScheduleKeyDeletionCommand({ KeyId, ...(PendingWindowInDays && { PendingWindowInDays }) });

  test('waits for 7 to 30 days, and is scheduled once', async () => {
    const kms = client();
    const KeyId = aws.signingKeys.create({ ...place, alias: 'alias/ending' });
    expect((await failureOf(kms.send(schedule(KeyId, 6)))).name).toBe('ValidationException');
    expect((await failureOf(kms.send(schedule('alias/ending')))).name).toBe('NotFoundException');
    expect(await kms.send(schedule(KeyId))).toMatchObject({
      ...{ KeyState: 'PendingDeletion', PendingWindowInDays: 30 },
    });
    for (const late of [schedule(KeyId), new GetPublicKeyCommand({ KeyId })])
      expect(await failureOf(kms.send(late as never))).toMatchObject({
        ...{ name: 'KMSInvalidStateException', message: `${KeyId} is pending deletion.` },
      });
  });

  test('leaves its aliases, which can be moved away and deleted, and lets none be added', async () => {
    const kms = client();
    const [ending, other] = [aws.signingKeys.create(place), aws.signingKeys.create(place)];
    const AliasName = 'alias/leaving';
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: ending }));
    await kms.send(schedule(ending));
    const { Aliases = [] } = await kms.send(new ListAliasesCommand({ KeyId: ending }));
    expect(Aliases).toMatchObject([{ AliasName, CreationDate: expect.any(Date) }]);
    const added = new CreateAliasCommand({ AliasName: 'alias/late', TargetKeyId: ending });
    expect((await failureOf(kms.send(added))).name).toBe('KMSInvalidStateException');
    await kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: other }));
    const back = new UpdateAliasCommand({ AliasName, TargetKeyId: ending });
    expect((await failureOf(kms.send(back))).name).toBe('KMSInvalidStateException');
    await kms.send(new DeleteAliasCommand({ AliasName }));
    expect((await failureOf(kms.send(new DeleteAliasCommand({ AliasName })))).name).toBe('NotFoundException');
  });

  test('can be allowed for the keys of an alias and a long wait only', async () => {
    const condition = {
      'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/mine' },
      NumericEquals: { 'kms:ScheduleKeyDeletionPendingWindowInDays': '30' },
    };
    const { Statement } = allow('kms:ScheduleKeyDeletion', '*');
    const kms = client({ Statement: { ...[Statement].flat()[0], Condition: condition } } as PolicyDocument);
    const mine = aws.signingKeys.create({ ...place, alias: 'alias/mine' });
    const theirs = aws.signingKeys.create({ ...place, alias: 'alias/theirs' });
    for (const refused of [schedule(theirs, 30), schedule(mine, 7)])
      expect((await failureOf(kms.send(refused))).name).toBe('AccessDeniedException');
    expect(aws.signingKeys.get(mine).state).toBe('Enabled');
    await kms.send(schedule(mine, 30));
    expect(aws.signingKeys.get(mine)).toMatchObject({ state: 'PendingDeletion', pendingDays: 30 });
  });
});
