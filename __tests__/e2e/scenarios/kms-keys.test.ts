/** Keys in KMS on the local AWS and on moto, which has RSA and NIST's curves: made, printed, and signing for git. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { KMSClient, UpdateAliasCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openConnection, type Connection } from '../../../src/aws/connection.ts';
import { parseKeyReference, type KmsReference } from '../../../src/keys/key-reference.ts';
import { openKmsSigner, type KmsSigner } from '../../../src/kms/kms-signer.ts';
import { startBackend, type Backend } from '../../support/backend.ts';
import { fingerprintOf } from '../../support/ssh-keys.ts';
import { signMessage, verifyMessage } from '../../support/sshsig.ts';
import { actionPath } from '../stage.ts';

const program = join(actionPath, 'helper/ssm-ssh-agent');

interface Made {
  readonly arn: string;
  readonly type: string;
  readonly fingerprint: string;
  readonly publicKey: string;
}

describe('a key in KMS', () => {
  let aws: Backend;
  let connection: Connection;

  beforeAll(async () => {
    aws = await startBackend();
    process.env['AWS_ENDPOINT_URL'] = aws.credentialEnvironment()['AWS_ENDPOINT_URL'];
    connection = openConnection({ env: {}, maxAttempts: 2 });
  });
  afterAll(async () => {
    connection.requestHandler.destroy();
    delete process.env['AWS_ENDPOINT_URL'];
    await aws.stop();
  });

  const run = (args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const env = { ...aws.credentialEnvironment(), PATH: process.env['PATH'] ?? '', AWS_REGION: aws.region };
      execFile(program, args, { env }, (error, stdout, stderr) => {
        if (error) reject(new Error(stderr, { cause: error }));
        else resolve(stdout);
      });
    });
  const make = async (name: string, ...more: string[]): Promise<Made> =>
    JSON.parse(await run(['keygen', name, ...more, '--json', '--quiet'])) as Made;
  const credentials = (): { accessKeyId: string; secretAccessKey: string; sessionToken: string } => {
    const env = aws.credentialEnvironment();
    const [accessKeyId = '', secretAccessKey = ''] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
    return { accessKeyId, secretAccessKey, sessionToken: '' };
  };
  const open = (name: string): Promise<KmsSigner> =>
    openKmsSigner(
      parseKeyReference(name) as KmsReference,
      { connection, credentials: credentials() },
      {
        ...{ regions: [aws.region], share: 5_000, signal: new AbortController().signal },
        warn: () => undefined,
      },
    );

  it.each([
    ['rsa', '2048', 'ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
    ['ecdsa', '256', 'ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
    ['ecdsa', '384', 'ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
    ['ecdsa', '521', 'ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ] as const)('of type %s with %s bits signs what ssh-keygen verifies', async (...given) => {
    const [type, bits, sshType, algorithms] = given;
    const name = `kms:alias/made-${type}-${bits}`;
    const made = await make(name, '--type', type, '--bits', bits, '--tag', 'team=ci');
    expect(made).toMatchObject({ type: sshType, fingerprint: fingerprintOf(made.publicKey) });
    expect(made.arn).toMatch(new RegExp(`^arn:aws:kms:${aws.region}:${aws.account}:key/`));
    expect((await run(['public', name])).split(' ')[1]).toBe(made.publicKey.split(' ')[1]);
    const signer = await open(name);
    for (const algorithm of algorithms) {
      const signature = await signMessage(signer, 'a commit', algorithm);
      expect(await verifyMessage(signer, 'a commit', signature)).toMatch(/^Good "git" signature/);
    }
    await expect(run(['keygen', name])).rejects.toThrow(/INPUT_INVALID: .*already, and it is not changed/);
  });

  it('that its alias leaves is refused', async () => {
    await make('kms:alias/made-moving', '--type', 'ecdsa');
    const other = await make('kms:alias/made-other', '--type', 'ecdsa');
    const signer = await open('kms:alias/made-moving');
    const kms = new KMSClient({ region: aws.region, credentials: credentials() });
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/made-moving', TargetKeyId: other.arn }));
    kms.destroy();
    const signing = signMessage(signer, 'a commit', 'ecdsa-sha2-nistp256');
    await expect(signing).rejects.toMatchObject({ code: 'SIGNATURE_REFUSED' });
  });

  it('that is not there is not found', async () => {
    await expect(run(['public', 'kms:alias/nobody'])).rejects.toThrow(/^ssm-ssh-agent: KEY_NOT_FOUND: /);
  });
});
