/** What `policy` prints, created by IAM. moto validates policy documents as IAM does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { parsePolicy } from '../../support/aws/iam/policy-document.ts';
import { actionPath } from '../stage.ts';

const launcher = join(actionPath, 'helper/ssm-ssh-agent');
const { MOTO_ENDPOINT } = process.env;

/** Creates the document by IAM; the local AWS has no such call, and checks its grammar. @returns the error of AWS */
async function create(document: string, kind: 'permission' | 'trust', name: string): Promise<string> {
  if (MOTO_ENDPOINT === undefined) {
    parsePolicy(document, kind);
    return '';
  }
  const asked =
    kind === 'permission'
      ? { Action: 'CreatePolicy', PolicyName: name, PolicyDocument: document }
      : { Action: 'CreateRole', RoleName: name, AssumeRolePolicyDocument: document };
  const answer = await fetch(MOTO_ENDPOINT, {
    method: 'POST',
    headers: {
      authorization:
        'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x',
    },
    body: new URLSearchParams({ ...asked, Version: '2010-05-08' }),
  });
  const text = await answer.text();
  return answer.ok ? '' : text;
}

describe('a printed policy', () => {
  let aws: Backend;
  let home: string;

  beforeAll(async () => {
    aws = await startBackend();
    home = mkdtempSync(join(tmpdir(), 'policies-'));
    await aws.put('/ci/deploy-key', 'text');
    await aws.putSecret('ci/deploy', 'text');
  });
  afterAll(async () => {
    rmSync(home, { recursive: true });
    await aws.stop();
  });

  async function print(args: readonly string[], env: Readonly<Record<string, string>>) {
    const child = spawn(launcher, ['policy', ...args], {
      env: { PATH: process.env['PATH'] ?? '', HOME: home, AWS_REGION: aws.region, ...env },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  const hosts = ['--host', 'ec2-user@i-0123456789abcdef0', '--host', 'me@Name=web 1'];

  it.each([
    ['read', ['/ci/deploy-key', 'secretsmanager:ci/deploy:key']],
    ['write', ['/ci/deploy-key', 'secretsmanager:ci/deploy', '--for', 'write']],
    ['rotate', ['/ci/deploy-key', 'secretsmanager:ci/deploy', '--for', 'rotate']],
    ['alias', ['/ci/deploy-key', '--kms-key-id', 'alias/ci']],
    ['hosts', hosts],
    ['endpoint', [...hosts, '--via', 'instance-connect-endpoint']],
    ['managed', ['--host', 'mi-0123456789abcdef0']],
  ])('is one that IAM accepts: %s', async (name, args) => {
    const offline = await print([...args, '--account-id', aws.account], {});
    expect([offline.code, await create(offline.stdout, 'permission', `${name}-offline`)]).toEqual([0, '']);
  });

  it('looks the account and the keys up', async () => {
    const { code, stdout } = await print(
      ['/ci/deploy-key', 'secretsmanager:ci/deploy'],
      aws.credentialEnvironment(),
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`arn:aws:ssm:${aws.region}:${aws.account}:parameter/ci/deploy-key`);
    expect(await create(stdout, 'permission', 'looked-up')).toBe('');
  });

  it.each([
    ['branch', ['--branch', 'main']],
    ['tags', ['--git-tag', 'v*']],
    ['environment', ['--environment', 'eu: production', '--pull-request']],
  ])('of trust is one that IAM accepts: %s', async (name, args) => {
    const { code, stdout } = await print(['--trust', 'acme/app', ...args, '--account-id', aws.account], {});
    expect([code, await create(stdout, 'trust', name)]).toEqual([0, '']);
  });

  it('that is broken is one that IAM refuses', async () => {
    const { stdout } = await print(['/ci/deploy-key', '--account-id', aws.account], {});
    const broken = stdout.replace('arn:aws:ssm', 'ssm');
    const refused = create(broken, 'permission', 'broken');
    if (MOTO_ENDPOINT === undefined) await expect(refused).rejects.toThrow(/ARN format/);
    else expect(await refused).toContain('MalformedPolicyDocument');
  });
});
