/** Credentials that depend on the user's environment and folder, for the process that signs: it has neither of its own. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { itInTurn as it } from '../../support/parts.ts';
import { INSTANCE_ROLE, launcher, openEc2Host, type Ec2Host, type Ended } from '../ec2-host.ts';
import { makeKmsKey, maySign } from './kms-keys.ts';

describe('a profile of the user, for a key in KMS', () => {
  let host: Ec2Host;
  let env: Readonly<Record<string, string>>;

  beforeEach(async () => {
    host = await openEc2Host([maySign]);
    makeKmsKey(host.world, 'deploy');
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = host.world.aws.iam.createSession({
      roleArn: INSTANCE_ROLE,
    });
    const answer = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken };
    const program = join(host.folder, 'get-credentials');
    const script = [
      '#!/bin/sh',
      'for name in SSH_AUTH_SOCK GIT_DIR SSM_SSH_KEY; do',
      '  if printenv "$name" >/dev/null; then echo "has $name" >&2; exit 1; fi',
      'done',
      '[ "${VAULT_ADDR-}" ] || { echo "no VAULT_ADDR" >&2; exit 1; }',
      `echo '${JSON.stringify({ Version: 1, ...answer, Expiration: expiration })}'`,
    ];
    writeFileSync(program, `${script.join('\n')}\n`);
    chmodSync(program, 0o755);
    mkdirSync(join(host.folder, 'aws'));
    writeFileSync(join(host.folder, 'aws', 'config'), `[profile job]\ncredential_process = ${program}\n`);
    env = {
      ...{ AWS_CONFIG_FILE: 'aws/config', AWS_PROFILE: 'job', AWS_REGION: 'eu-west-1' },
      ...{ AWS_EC2_METADATA_DISABLED: 'true', VAULT_ADDR: 'https://vault' },
      // These lead into agents, repositories and keys that are not the tool's.
      ...{ SSH_AUTH_SOCK: join(host.folder, 'none'), GIT_DIR: '/nowhere', SSM_SSH_KEY: 'kms:alias/deploy' },
    };
  });
  afterEach(async () => {
    for (let waited = 0; waited < 5000 && host.leftovers().length > 0; waited += 20) await sleep(20);
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const shell = (script: string): Promise<Ended> => host.start(['sh', '-c', script], { env }).ended;

  it('is found by a relative path, and its program has the variables of the user', async () => {
    const script = `set -e; eval "$(${launcher} add --agent --quiet kms:alias/deploy)"; ssh-add -l; ssh-agent -k >/dev/null`;
    expect(await shell(script)).toMatchObject({
      ...{ exitCode: 0, stderr: '' },
      stdout: expect.stringMatching(/^256 SHA256:\S+ kms:alias\/deploy /) as unknown,
    });
  });

  it('serves exec, too', async () => {
    const ran = await shell(`${launcher} exec --key kms:alias/deploy -- ssh-add -l`);
    expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^256 SHA256:/) as unknown });
  });
});
