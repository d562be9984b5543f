/** docs/kms.md: its commands do what it says, from the key to a verified commit. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { parse } from 'yaml';
import { parseGitHubApp } from '../../src/github/app.ts';
import { kmsReferencesOf, parseLines } from '../../src/keys/key-line.ts';
import { ACCOUNT, allow, REGION, trustGitHub } from '../support/aws/world.ts';
import { shellBlocks } from '../support/commands-in-documents.ts';
import { itInTurn as it } from '../support/parts.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { launcher, openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { writer } from './key-writer.ts';
import { actionPath, openStage, told, type Stage } from './stage.ts';

const guide = 'docs/kms.md';
const text = readFileSync(join(actionPath, guide), 'utf8');
const commandsOf = (name: string): string[] =>
  shellBlocks.filter(({ document }) => document === name).flatMap((block) => block.commands);
const commands = commandsOf(guide);
const roleArn = `arn:aws:iam::${ACCOUNT}:role/ci`;

describe(guide, () => {
  let host: Ec2Host;
  let stage: Stage;
  let key: SshKey;

  beforeEach(async () => {
    [host, stage] = await Promise.all([openEc2Host(), openStage()]);
    key = await makeSshKey({ type: 'rsa' });
    for (const name of ['deploy-key.pem', 'app.pem'])
      writeFileSync(join(host.folder, name), key.privateKey, { mode: 0o600 });
  });
  afterEach(async () => {
    await Promise.all([host.close(), stage.close()]);
  });

  const type = (command: string, cwd = host.folder): Promise<Ended> => {
    const env = {
      ...writer(host, [allow('kms:*', '*')]),
      PATH: `${dirname(launcher)}:${process.env['PATH'] ?? ''}`,
    };
    return host.start(['sh', '-c', command], { env, cwd }).ended;
  };
  const done = async (pattern: RegExp, cwd?: string): Promise<string> => {
    const [command = '', more] = commands.filter((one) => pattern.test(one));
    expect([command === '', more]).toEqual([false, undefined]);
    const { exitCode, stdout, stderr } = await type(command, cwd);
    expect([command, exitCode, stderr]).toEqual([command, 0, expect.not.stringContaining('warning')]);
    return stdout;
  };

  it('makes a key, moves one with its public half, and prints policies', async () => {
    // Without CloudTrail, the verification below, and exec, which needs github.com: e2e/kms/exec.test.ts.
    expect(commands).toHaveLength(14);
    expect(await done(/ log$/)).toBe('');
    const made = await done(/keygen/);
    expect(made).toMatch(/^ssh-ed25519 /);
    await done(/put kms:alias\/deploy-key /);
    expect(await done(/public kms:alias\/deploy-key/)).toContain(key.publicKey.split(' ')[1]);
    await done(/put kms:alias\/app /);
    await done(/policy kms:alias\/deploy >/);
    await done(/policy .* --for write/);
    await done(/policy .* --for rotate/);
    expect(readFileSync(join(host.folder, 'permissions.json'), 'utf8')).toContain('kms:Sign');
    expect(readFileSync(join(host.folder, 'make-keys.json'), 'utf8')).toContain('kms:CreateKey');
    expect(readFileSync(join(host.folder, 'rotate-keys.json'), 'utf8')).toContain('kms:UpdateAlias');
    const [command = ''] = commandsOf('docs/templates.md').filter((one) => / public /.test(one));
    expect((await type(command)).stdout).toContain(made.split(' ')[1]);
  });

  it('adds a key to an agent of ours that runs', async () => {
    for (const name of ['deploy', 'tools']) await type(`ssm-ssh-agent keygen kms:alias/${name}`);
    const adding = commands.filter((one) => / add /.test(one));
    expect(adding).toHaveLength(2);
    const more = ['ssh-add -l', 'ssh-agent -k >/dev/null'];
    const { exitCode, stdout, stderr } = await type(['set -e', ...adding, ...more].join('\n'));
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/ kms:alias\/tools .*\n.* kms:alias\/deploy /),
    ]);
    expect(stderr).toMatch(/^ssm-ssh-agent: kms:alias\/tools: .*\nssm-ssh-agent: kms:alias\/deploy: .*\n$/);
  });

  it('verifies a commit that a job signed with a key in KMS', async () => {
    const { iam } = host.world.aws;
    await done(/keygen/);
    iam.createRole({ arn: roleArn, trustPolicy: trustGitHub(), policies: [allow('kms:*', '*')] });
    const job = stage.job({ env: host.world.jobEnvironment() });
    const inputs = { keys: 'kms:alias/deploy', 'git-signing': 'true', 'role-to-assume': roleArn };
    expect(told(await job.uses({ with: { ...inputs, 'aws-region': REGION } })).text).toBe('');
    const folder = join(host.folder, 'repository');
    mkdirSync(folder);
    const commit = 'commit --quiet --allow-empty -m signed';
    await job.run(
      `cd ${folder} && git init --quiet . && git -c user.name=ci -c user.email=ci@example.com ${commit}`,
    );
    await done(/--allowed-signers/, folder);
    const [verify = ''] = commands.filter((one) => one.includes('verify-commit'));
    const { exitCode, stderr } = await type(verify, folder);
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringMatching(/^Good "git" signature for ci@example\.com with ED25519/),
    ]);
  });

  it('has lines of keys and an App that are accepted', () => {
    const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);
    const lines = blocks.map((block) => /keys: \|\n((?: +.*\n)+)/.exec(block)?.[1] ?? '');
    expect(lines.flatMap((some) => kmsReferencesOf(parseLines(some).keys))).toHaveLength(blocks.length);
    expect(blocks.map((block) => parse(block) as unknown)).toHaveLength(2);
    const [, stored = ''] = /`(\{"app_id".*?\})`/.exec(text) ?? [];
    expect(parseGitHubApp(stored, '/ci/app').privateKey).toMatchObject({ kind: 'kms' });
  });
});
