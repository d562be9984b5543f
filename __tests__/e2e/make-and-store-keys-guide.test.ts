/** docs/make-and-store-keys.md: its commands and its policy do what it says. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { shellBlocks } from '../support/commands-in-documents.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { launcher, openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { actionPath } from './stage.ts';
import { writer, writing } from './key-writer.ts';

const place = { account: ACCOUNT, region: REGION };
const guide = 'docs/make-and-store-keys.md';
const commands = shellBlocks.filter(({ document }) => document === guide).flatMap((block) => block.commands);
/** Of the other documents. certificates-guide.test.ts has those of authorities, kms-guide.test.ts those of KMS. */
const keygens = shellBlocks
  .filter(({ document }) => !['docs/certificates.md', 'docs/kms.md'].includes(document))
  .flatMap((block) => block.commands)
  .filter((command) => command.startsWith('ssm-ssh-agent keygen ') && !commands.includes(command));

describe(guide, () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    await host.close();
  });

  const type = (command: string, env: Readonly<Record<string, string>>): Promise<Ended> => {
    const path = `${dirname(launcher)}:${process.env['PATH'] ?? ''}`;
    return host.start(['sh', '-c', command], { env: { ...env, PATH: path } }).ended;
  };

  it('has commands that work, each on its own', async () => {
    const key = await makeSshKey();
    const locked = await makeSshKey({ passphrase: 'a secret word' });
    const home = join(host.folder, 'home/.ssh');
    mkdirSync(home);
    for (const path of [join(home, 'id_ed25519'), join(host.folder, 'deploy-key.pem')])
      writeFileSync(path, key.privateKey, { mode: 0o600 });
    host.world.put('/ci/old-key', locked.privateKey);
    host.world.put('/ci/passphrase', 'a secret word');
    expect(commands.length).toBe(8);
    const env = writer(host);
    for (const command of commands) {
      if (/ put /.test(command)) host.world.aws.parameters.delete(place, '/ci/deploy-key');
      const { exitCode, stdout, stderr } = await type(command, env);
      expect([
        command,
        exitCode,
        stderr.replaceAll(/^ssm-ssh-agent: stored .*|^(Paste| ).*|\n/gm, ''),
      ]).toEqual([command, 0, '']);
      expect(stdout).toMatch(/^(ssh-ed25519 \S+.*\n)+$/);
    }
  });

  it.each(keygens)('stands for what other documents say: %s', async (command) => {
    const key = host.world.aws.kms.createKey({ ...place, alias: 'alias/ci-keys' });
    const policies = [...writing, allow(['kms:Encrypt', 'kms:GenerateDataKey'], key)];
    const { exitCode, stdout } = await type(command, writer(host, policies));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ssh-ed25519 \S+ \/ci\/deploy-key \S+\n$/);
  });

  it('has a policy that is enough for a parameter with tags, and its new version', async () => {
    const [policy = ''] = [
      ...readFileSync(join(actionPath, guide), 'utf8').matchAll(/```json\n(.*?)```/gs),
    ].map(([, text]) => text ?? '');
    const env = writer(host, [JSON.parse(policy) as PolicyDocument]);
    for (const more of ['', ' --overwrite']) {
      const { stderr } = await type(`ssm-ssh-agent keygen /ci/deploy-key --tag team=ci${more}`, env);
      expect(stderr).toMatch(/^ssm-ssh-agent: stored /);
    }
  });
});
