/** Credentials of a profile that end while an agent signs: a tool has written new ones into the file, which do not say when they end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Role } from '../../src/aws/caller.ts';
import { signingAccess } from '../../src/host/signing-access.ts';
import { parseKeyReference, type KmsReference } from '../../src/keys/key-reference.ts';
import { openKmsSigner, type KmsSigner } from '../../src/kms/kms-signer.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

const [work, signing] = ['work', 'signing'].map((name) => `arn:aws:iam::${ACCOUNT}:role/${name}`) as [
  string,
  string,
];
const login = allow(['kms:GetPublicKey', 'kms:Sign'], '*');
const role: Role = {
  ...{ arn: signing, through: [], sessionName: 'test', durationSeconds: 900 },
  ...{ audience: undefined, externalId: undefined, policy: 'none' },
};

let [world, folder, before] = [] as unknown as [ReadyWorld, string, NodeJS.ProcessEnv];
let ended: AbortController;
/** Milliseconds by which the clock of AWS is ahead: its sessions end at once. */
let ahead: number;

beforeEach(async () => {
  [before, ahead, ended] = [{ ...process.env }, 0, new AbortController()];
  folder = mkdtempSync(join(tmpdir(), 'signing-access-'));
  world = await startReadyWorld({ clock: () => new Date(Date.now() + ahead), sessionSeconds: 60 });
  const { iam, signingKeys } = world.aws;
  const assume = allow('sts:AssumeRole', signing);
  iam.createRole({
    arn: work,
    trustPolicy: trust({ Service: 'ec2.amazonaws.com' }),
    policies: [login, assume],
  });
  iam.createRole({ arn: signing, trustPolicy: trust({ AWS: work }), policies: [login] });
  signingKeys.create({ account: ACCOUNT, region: REGION, spec: 'ECC_NIST_P256', alias: 'alias/deploy' });
  Object.assign(process.env, world.aws.environment());
  for (const name of Object.keys(process.env)) if (/^AWS_.*(KEY|TOKEN)/.test(name)) setVariable(name);
  setVariable('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
  setVariable('AWS_PROFILE', 'work');
});
afterEach(async () => {
  ended.abort();
  for (const name of Object.keys(process.env)) setVariable(name, before[name]);
  rmSync(folder, { recursive: true });
  await world.stop();
});

function setVariable(name: string, value?: string): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}

function trust(
  principal: Readonly<Record<string, string>>,
): Parameters<typeof world.aws.iam.createRole>[0]['trustPolicy'] {
  return { Statement: { Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' } };
}

/** As a tool does it each hour. */
function writeCredentials(): void {
  const { accessKeyId, secretAccessKey, sessionToken } = world.aws.iam.createSession({ roleArn: work });
  writeFileSync(
    join(folder, 'credentials'),
    `[work]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\naws_session_token=${sessionToken}\n`,
  );
}

async function open(role: Role | null): Promise<KmsSigner> {
  const reference = parseKeyReference('kms:alias/deploy') as KmsReference;
  const wanted = { regions: [REGION], role, allowedAccounts: [], maxAttempts: 1, timeoutSeconds: 10 };
  const { place, regions } = await signingAccess([reference], wanted, {
    ...{ env: process.env, signal: ended.signal, ended: ended.signal },
    missing: { region: '', credentials: '', expired: '' },
    voice: { info: noop, warn: noop, mask: noop },
  });
  ended.signal.addEventListener('abort', () => {
    place.connection.requestHandler.destroy();
  });
  return await openKmsSigner(reference, place, regions);
}
const noop = (): void => undefined;

describe.each([
  ['without a role', null],
  ['with a role', role],
])('an agent %s', (_, wanted) => {
  it('signs with the new credentials of a file, after the old ones have ended', async () => {
    writeCredentials();
    const signer = await open(wanted);
    const sign = (): Promise<Buffer> => signer.sign(Buffer.from('x'), 'ecdsa-sha2-nistp256', ended.signal);
    await sign();
    ahead = 90_000;
    await expect(sign()).rejects.toMatchObject({ code: 'CREDENTIALS_EXPIRED' });
    writeCredentials();
    expect(await sign()).toBeInstanceOf(Buffer);
    ahead *= 2;
    writeCredentials();
    expect(await sign()).toBeInstanceOf(Buffer);
  });
});
