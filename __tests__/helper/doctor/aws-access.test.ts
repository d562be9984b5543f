/** The Region of this machine, and the setting that is told as its source. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { AwsAccess } from '../../../helper/doctor/aws-access.ts';
import type { Failure } from '../../../src/errors.ts';
import { warningsOnly } from '../../../src/host/voice.ts';
import { parseReference } from '../../../src/keys/reference.ts';

let folder: string;
const before = process.env['AWS_CONFIG_FILE'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aws-'));
  const file = join(folder, 'config');
  writeFileSync(file, '[default]\nregion = eu-west-3\n');
  process.env['AWS_CONFIG_FILE'] = file;
});
afterEach(() => {
  if (before === undefined) delete process.env['AWS_CONFIG_FILE'];
  else process.env['AWS_CONFIG_FILE'] = before;
  rmSync(folder, { recursive: true });
});

const arn = 'arn:aws:ssm:eu-north-1:111122223333:parameter/ci/key';
const usual = { AWS_DEFAULT_REGION: 'eu-west-2' };

it.each([
  ['the profile of the AWS configuration', 'eu-west-3', {}],
  ['AWS_DEFAULT_REGION', 'eu-west-2', usual],
  ['AWS_REGION', 'eu-west-1', { AWS_REGION: 'eu-west-1', ...usual }],
])('the Region is found in %s', async (from, region, env) => {
  const { signal } = new AbortController();
  const voice = warningsOnly(() => undefined);
  const access = new AwsAccess({ env, signal, voice, given: undefined, references: [], job: undefined });
  expect(await access.region({ region: undefined, roles: [] })).toEqual({ region, from });
});

it.each([
  [[arn], { region: 'eu-north-1', from: "the keys' ARNs" }],
  [[arn, '/ci/key'], 'AWS_REGION is not a region: "auto"'],
])('for %j, the Region of another service is %j', async (keys, expected) => {
  writeFileSync(join(folder, 'config'), '[default]\nregion = eu_west_3\n');
  const { signal } = new AbortController();
  const voice = warningsOnly(() => undefined);
  const references = keys.map((key) => parseReference(key));
  const env = { AWS_REGION: 'auto' };
  const access = new AwsAccess({ env, signal, voice, given: undefined, references, job: undefined });
  const found = access.region({ region: undefined, roles: [] });
  expect(await found.catch((error: unknown) => (error as Failure).message)).toEqual(expected);
});
