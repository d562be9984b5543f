/** After Node has compiled a configuration, the shell alone chooses the key, until something changes. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { ACCOUNT, allow, REGION } from '../../support/aws/world.ts';
import { launchInstance } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { useHost } from './use-host.ts';

describeOnHost('a compiled configuration', () => {
  const stand = useHost();
  const list = (folder = '.'): string => `git -C ${folder} ls-remote ${stand.git.url('acme/lib')} main`;

  /** Counts the starts of the program in dist. */
  const countStarts = (): (() => number) => {
    const { home, env } = stand.host;
    const log = join(home, 'started');
    const node = join(home, 'node');
    const script = `#!/bin/sh\n[ "$1" = --version ] || echo x >>'${log}'\nexec '${process.execPath}' "$@"\n`;
    writeFileSync(node, script, { mode: 0o755 });
    env['SSM_SSH_NODE'] = node;
    return () => (existsSync(log) ? readFileSync(log, 'utf8').length / 2 : 0);
  };
  const succeeds = async (command: string, env: Readonly<Record<string, string>> = {}): Promise<void> => {
    expect(await stand.host.run(command, env)).toMatchObject({ code: 0, stderr: '' });
  };

  it('needs no Node for two repositories with different keys, in turn', async () => {
    const { host, world, git, key } = stand;
    delete host.env['SSM_SSH_KEY'];
    const starts = countStarts();
    const names = ['one', 'two'];
    // The key of a section, too.
    const settings = { one: 'ssm.key', two: `ssm.${git.address}:${git.port}/acme/lib.key` };
    for (const [name, setting] of Object.entries(settings)) {
      world.put(`/ci/${name}`, key.privateKey);
      await host.run(`git init -q ${name} && git -C ${name} config ${setting} /ci/${name}`);
    }
    const counts: number[] = [];
    for (const name of [...names, ...names, ...names]) {
      await succeeds(list(name));
      counts.push(starts());
    }
    expect([counts, stand.calls()]).toEqual([[1, 2, 2, 2, 2, 2], 2]);
  });

  it('needs no Node for two accounts, in turn', async () => {
    const { host, world } = stand;
    const starts = countStarts();
    const policies = [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`)];
    const accounts = ['a', 'b'].map((name) => {
      const userArn = `arn:aws:iam::${ACCOUNT}:user/${name}`;
      const { accessKeyId, secretAccessKey } = world.aws.iam.createAccessKey({ userArn, policies });
      return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: REGION };
    });
    const counts: number[] = [];
    for (const env of [...accounts, ...accounts]) {
      await succeeds(list(), env);
      counts.push(starts());
    }
    expect([counts, stand.calls()]).toEqual([[1, 2, 2, 2], 2]);
    for (const [path, text] of host.files(host.state)) {
      for (const { AWS_SECRET_ACCESS_KEY: secret } of accounts)
        expect(`${path}${text}`).not.toContain(secret);
    }
  });

  it('is compiled again if the configuration, the environment or the kind of command changes', async () => {
    const { host, git } = stand;
    const starts = countStarts();
    await succeeds(list());
    expect(starts()).toBe(1);
    await succeeds(list(), { SSM_SSH_KEY_LIFETIME: '5m' });
    expect(starts()).toBe(2);
    await succeeds('git config --global ssm.timeout 20s');
    await succeeds(list());
    expect(starts()).toBe(3);
    const { stderr } = await host.run(
      `${host.env['GIT_SSH_COMMAND'] ?? ''} -p ${String(git.port)} ${git.user}@${git.address} true || true`,
    );
    expect([stderr, starts()]).toEqual([expect.not.stringContaining('ssm-ssh:'), 4]);
    await succeeds(list());
    expect([starts(), stand.calls()]).toEqual([4, 1]);
  });

  it('of another version, older or newer, is not read, and works beside ours', async () => {
    const { host } = stand;
    const starts = countStarts();
    await succeeds(list());
    const folder = join(host.state, 'compiled');
    const [name = ''] = readdirSync(folder);
    const ours = readFileSync(join(folder, name), 'utf8');
    const theirs = ours
      .replace(/\b5 git$/m, '6 git')
      .replaceAll(/^_ssm_set_identity_0=.*$/gm, '_ssm_set_identity_0=broken');
    expect(theirs).not.toBe(ours);
    writeFileSync(join(folder, name), theirs);
    await succeeds(list());
    await succeeds(list());
    expect([starts(), stand.calls()]).toEqual([2, 1]);
  });

  it('does not contain a reference that may be a secret before a key was read with it', async () => {
    const { host, world, key } = stand;
    await succeeds('git config --global ssm.git.example.com.key /ci/key');
    const { code } = await host.run(list(), { SSM_SSH_KEY: 'correct-horse-battery-staple' });
    expect(code).not.toBe(0);
    expect(existsSync(join(host.state, 'compiled'))).toBe(false);
    world.put('ci-key', key.privateKey);
    launchInstance(world, [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci-key`)]);
    await succeeds(list(), { SSM_SSH_KEY: 'ci-key' });
    expect(readdirSync(join(host.state, 'compiled'))).toHaveLength(1);
  });

  it('is kept for the last sixteen configurations', async () => {
    const { host } = stand;
    const lifetimes = Array.from({ length: 18 }, (_, index) => `SSM_SSH_KEY_LIFETIME=${String(index + 1)}h`);
    await succeeds(lifetimes.map((setting) => `${setting} ${list()}`).join(' && '));
    expect([readdirSync(join(host.state, 'compiled')).length, stand.calls()]).toEqual([16, 1]);
    const starts = countStarts();
    await succeeds(`${lifetimes.at(-1) ?? ''} ${list()} && ${lifetimes[0] ?? ''} ${list()}`);
    expect(starts()).toBe(1);
  });
});
