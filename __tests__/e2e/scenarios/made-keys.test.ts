/** keygen, put and public, on the local AWS and on moto: what one stores, the others read. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { fingerprintOf, makeSshKey } from '../../support/ssh-keys.ts';
import { actionPath } from '../stage.ts';

const program = join(actionPath, 'helper/ssm-ssh-agent');

interface Stored {
  readonly arn: string;
  readonly version: string;
  readonly fingerprint: string;
  readonly publicKey: string;
}

describe('a key that is stored on the command line', () => {
  let aws: Backend;

  beforeAll(async () => {
    aws = await startBackend();
  });
  afterAll(async () => {
    await aws.stop();
  });

  const run = (args: readonly string[], input = ''): Promise<string> =>
    new Promise((resolve, reject) => {
      const env = { ...aws.credentialEnvironment(), PATH: process.env['PATH'] ?? '', AWS_REGION: aws.region };
      const child = execFile(program, args, { env }, (error, stdout, stderr) => {
        if (error) reject(new Error(stderr, { cause: error }));
        else resolve(stdout);
      });
      child.stdin?.on('error', () => undefined).end(input);
    });
  const json = async (args: readonly string[], input?: string): Promise<Stored> =>
    JSON.parse(await run([...args, '--json', '--quiet'], input)) as Stored;

  it('in a parameter has versions, of which the old one stays', async () => {
    const tags = ['--tag', 'team=ci', '--description', 'for deploys'];
    const made = await json(['keygen', '/made/key', ...tags]);
    expect(made).toMatchObject({
      arn: `arn:aws:ssm:${aws.region}:${aws.account}:parameter/made/key`,
      version: '1',
      fingerprint: fingerprintOf(made.publicKey),
    });
    await expect(run(['keygen', '/made/key'])).rejects.toThrow(/^ssm-ssh-agent: INPUT_INVALID: .*exists/);
    const key = await makeSshKey({ comment: 'mine' });
    const put = await json(
      ['put', '/made/key', '--overwrite', ...tags],
      key.privateKey.replaceAll('\n', '\r\n'),
    );
    expect(put).toMatchObject({ version: '2', fingerprint: key.fingerprint, publicKey: key.publicKey });
    expect(await run(['public', '/made/key:1', '/made/key'])).toBe(`${made.publicKey}\n${key.publicKey}\n`);
  });

  it('in a JSON secret is one member of it', async () => {
    await aws.putSecret('made/secret', '{"port": 22.0}');
    const made = await json(['keygen', 'secretsmanager:made/secret:key']);
    expect(made.arn).toContain(':secret:made/secret-');
    expect(await run(['public', 'secretsmanager:made/secret:key'])).toBe(`${made.publicKey}\n`);
    await expect(run(['keygen', 'secretsmanager:made/secret:key'])).rejects.toThrow(/was not changed/);
    const next = await json(['keygen', 'secretsmanager:made/secret:key', '--overwrite', '--tag', 'team=ci']);
    expect(next.version).not.toBe(made.version);
    const old = `secretsmanager:made/secret:key:AWSPREVIOUS`;
    expect(await run(['public', old])).toBe(`${made.publicKey}\n`);
  });

  it('in a new secret is its whole value', async () => {
    const made = await json([
      'keygen',
      '--secretsmanager',
      'made/other',
      '--description',
      'x',
      '--tag',
      'a=b',
    ]);
    await expect(run(['keygen', '--secretsmanager', 'made/other'])).rejects.toThrow(/was not changed/);
    const next = await json(['keygen', made.arn, '--overwrite', '--description', 'y']);
    expect(await run(['public', 'secretsmanager:made/other'])).toBe(`${next.publicKey}\n`);
  });
});
