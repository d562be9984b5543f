/** Storing a key after AWS says that the machine's credentials have expired, although nothing here says so. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { writeHostVersion } from '../../src/host/write-key.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

const arn = `arn:aws:iam::${ACCOUNT}:role/work`;
const noop = (): void => undefined;
const before = { ...process.env };
let world: ReadyWorld;
let folder: string;
let ahead = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'write-key-'));
  ahead = 0;
  world = await startReadyWorld({ clock: () => new Date(Date.now() + ahead), sessionSeconds: 60 });
  const trustPolicy = {
    Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
  } as const;
  world.aws.iam.createRole({ arn, trustPolicy, policies: [allow('*', '*')] });
  Object.assign(process.env, world.aws.environment());
  for (const name of Object.keys(process.env))
    if (/^AWS_.*(KEY|TOKEN)/.test(name)) Reflect.deleteProperty(process.env, name);

  writeFileSync(
    join(folder, 'config'),
    `[profile work]\ncredential_process = ${join(folder, 'credentials')}\n`,
  );
  Object.assign(process.env, { AWS_CONFIG_FILE: join(folder, 'config'), AWS_PROFILE: 'work' });
});
afterEach(async () => {
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
  rmSync(folder, { recursive: true });
  await world.stop();
});

/** The answer of a tool that does not say when its credentials end. */
function answer(name: string): void {
  const { accessKeyId, secretAccessKey, sessionToken } = world.aws.iam.createSession({ roleArn: arn });
  const credentials = {
    ...{ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey },
    SessionToken: sessionToken,
  };
  writeFileSync(join(folder, name), JSON.stringify(credentials));
}

it('asks the default credential chain again, and stores the key with what it has then', async () => {
  answer('old');
  ahead = 90_000;
  answer('new');
  const script = `#!/bin/sh\ncd ${folder}\nif mkdir asked 2>/dev/null; then cat old; else cat new; fi\n`;
  writeFileSync(join(folder, 'credentials'), script, { mode: 0o755 });
  const version = {
    ...{ reference: parseReference('/ci/new-key'), text: 'text', overwrite: false },
    ...{ tier: 'Standard' as const, tags: [] },
  };
  const stored = await writeHostVersion(
    { version, region: REGION, roles: [], timeoutSeconds: 20 },
    {
      ...{ env: process.env, signal: new AbortController().signal },
      voice: { info: noop, warn: noop, mask: noop },
    },
  );
  expect(stored).toMatchObject({ version: '1' });
  const refused = world.aws.calls.filter(({ errorCode = '' }) => /Expired/.test(errorCode));
  expect(refused).toHaveLength(1);
});
