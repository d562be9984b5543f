import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import type { Job } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openStage, told, type Stage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

/** One use of the action holds all of these: each key is the deploy key of one repository on one host. */
const names = ['acme/lib', 'acme/lib-extra', 'acme/tools', 'other/app'] as const;

describe('many keys, each for its repositories', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let hosts: readonly GitHost[];
  const keys = new Map<string, SshKey>();

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    hosts = [await startGitHost(), await startGitHost()];
    for (const [index, host] of hosts.entries()) {
      for (const name of names) {
        const key = await makeSshKey();
        await host.createRepository(name);
        host.addDeployKey({ repository: name, publicKey: key.publicKey, write: true });
        world.put(parameter(index, name), key.privateKey);
        keys.set(parameter(index, name), key);
      }
    }
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop(), ...hosts.map((host) => host.stop())]);
  });

  const parameter = (host: number, name: string): string => `/ci/${String(host)}/${name.replace('/', '-')}`;
  /** The second host by a wildcard. */
  const pattern = (host: GitHost, name: string): string => {
    const address = host === hosts[1] ? host.address.replace(/^\d+/, '*') : host.address;
    return `${address}:${String(host.port)}/${name}`;
  };
  const use = async (
    lines: readonly string[],
    job: Job = stage.job({ env: world.jobEnvironment() }),
  ): Promise<Job> => {
    const knownHosts = hosts.map((host) => host.knownHosts).join('');
    const inputs = { 'aws-region': REGION, 'role-to-assume': ROLE_ARN, 'known-hosts': knownHosts };
    const main = await job.uses({ with: { keys: lines.join('\n'), ...inputs } });
    expect(told(main).text).toBe('');
    return job;
  };
  const everyLine = (): string[] =>
    hosts.flatMap((host, index) => names.map((name) => `${parameter(index, name)} ${pattern(host, name)}`));

  it('clones and pushes eight repositories on two hosts, one by a wildcard, at once, every one by its own key', async () => {
    const job = await use(everyLine());
    const steps = hosts.flatMap((host, index) =>
      names.map((name) => {
        const clone = `${String(index)}-${name.replace('/', '-')}`;
        return `(git clone --quiet ${host.url(name)} ${clone} && cd ${clone} &&
          git -c user.name=ci -c user.email=ci@acme.test commit --quiet --allow-empty -m "${clone}" && git push --quiet &&
          echo "pushed ${clone}") &`;
      }),
    );
    const { log } = await job.run([...steps, 'wait'].join('\n'));
    expect(log.match(/^pushed .*$/gm)?.length).toBe(8);
    for (const [index, host] of hosts.entries()) {
      const seen = (await host.log()).map(({ command = '', offered, verdict }) => ({
        command,
        offered,
        verdict,
      }));
      expect(seen.length).toBe(2 * names.length);
      for (const { command, offered, verdict } of seen) {
        const name = /'\/?(.*)\.git'/.exec(command)?.[1] ?? '';
        expect([verdict, offered]).toEqual(['allowed', [keys.get(parameter(index, name))?.fingerprint]]);
      }
    }
  });

  it('shows in the step summary which key is for what, and does not with summary: false', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const keyLines = `${parameter(0, 'acme/lib')} github.com/acme/lib *.example.com:2222\n${parameter(0, 'acme/tools')}`;
    const inputs = {
      keys: keyLines,
      'aws-region': REGION,
      'role-to-assume': ROLE_ARN,
      'key-lifetime': '90s',
    };
    const { summary } = await job.uses({ with: inputs });
    const fingerprintOf = (name: string): string => keys.get(parameter(0, name))?.fingerprint ?? '';
    expect(summary).toBe(
      [
        '### SSH keys',
        '',
        '| key | version | fingerprint | repositories | lifetime |',
        '| --- | --- | --- | --- | --- |',
        `| \`/ci/0/acme-lib\` | 1 | \`${fingerprintOf('acme/lib')}\` | \`github.com/acme/lib\`, \`*.example.com:2222\` | 90 s |`,
        `| \`/ci/0/acme-tools\` | 1 | \`${fingerprintOf('acme/tools')}\` | all that no other key matches | 90 s |`,
        '',
        '',
      ].join('\n'),
    );
    expect((await job.uses({ with: { ...inputs, summary: 'false' } })).summary).toBe('');
  });

  it('falls back to the default key for repositories that no other key matches', async () => {
    const [host] = hosts as [GitHost, GitHost];
    const job = await use([
      parameter(0, 'acme/tools'),
      `${parameter(0, 'acme/lib')} ${pattern(host, 'acme/lib')}`,
    ]);
    const { log } = await job.run(
      `git ls-remote ${host.url('acme/tools')} && git ls-remote ${host.url('acme/lib')}`,
    );
    expect(log.match(/refs\/heads\/main/g)?.length).toBe(2);
  });

  it('lets ssh say why where no key is for a repository, and offers none', async () => {
    const [host] = hosts as [GitHost, GitHost];
    const job = await use([`${parameter(0, 'acme/lib')} ${pattern(host, 'acme/lib')}`]);
    const { log } = await job.run(`git ls-remote ${host.url('acme/tools')} || true`);
    expect(log).toMatch(/Permission denied \(publickey\)/);
    const { offered } = (await host.log()).at(-1) ?? {};
    expect(offered).toEqual([]);
  });

  it('serves submodules', async () => {
    const [host] = hosts as [GitHost, GitHost];
    const job = await use(everyLine());
    const ci = '-c user.name=ci -c user.email=ci@acme.test';
    const { log } = await job.run(`
      git clone --quiet ${host.url('acme/tools')} tools && cd tools
      git submodule --quiet add ${host.url('acme/lib')} lib
      git submodule --quiet add ${host.url('acme/lib-extra')} lib-extra
      git ${ci} commit --quiet -m 'submodules' && git push --quiet && cd ..
      git clone --quiet --recurse-submodules --jobs 2 ${host.url('acme/tools')} again && cat again/lib/README.md again/lib-extra/README.md`);
    expect(log).toContain('# acme/lib\n# acme/lib-extra\n');
  });

  it('of two uses of the action in one job are all reachable, until each post has undone its own', async () => {
    const [host] = hosts as [GitHost, GitHost];
    const job = await use([`${parameter(0, 'acme/lib')} ${pattern(host, 'acme/lib')}`]);
    await use([parameter(0, 'acme/tools')], job);
    const { log } = await job.run(
      `git ls-remote ${host.url('acme/lib')} && git ls-remote ${host.url('acme/tools')}`,
    );
    expect(log.match(/refs\/heads\/main/g)?.length).toBe(2);
    const { leftoverProcesses } = await job.finish();
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
  });

  it("leaves a repository's own core.sshCommand alone where no key is named for it, as actions/checkout sets one", async () => {
    const [host] = hosts as [GitHost, GitHost];
    const job = await use([parameter(0, 'acme/lib')]);
    const { log } = await job.run(`
      git clone --quiet ${host.url('acme/lib')} lib && cd lib
      git config core.sshCommand 'echo "theirs:" >&2; ssh -o BatchMode=yes -o StrictHostKeyChecking=yes'
      git fetch 2>&1 || true`);
    expect(log).toContain('theirs:');
    const routed = await use([`${parameter(0, 'acme/lib')} ${pattern(host, 'acme/lib')}`]);
    const again = await routed.run(`
      git clone --quiet ${host.url('acme/lib')} lib && cd lib
      git config core.sshCommand 'false' && git fetch && echo fetched`);
    expect(again.log).toContain('fetched');
  });

  it('warns of two keys for the same repositories, and offers both in order', async () => {
    const [host] = hosts as [GitHost, GitHost];
    const job = stage.job({ env: world.jobEnvironment() });
    const lines = [
      `${parameter(0, 'acme/tools')} ${pattern(host, 'acme')}`,
      `${parameter(0, 'acme/lib')} ${pattern(host, 'acme/*')}`,
    ];
    const inputs = { 'aws-region': REGION, 'role-to-assume': ROLE_ARN, 'known-hosts': host.knownHosts };
    const main = await job.uses({ with: { keys: lines.join('\n'), ...inputs } });
    const [warning] = main.annotations;
    expect(warning?.message).toContain(
      `2 keys are offered for ${pattern(host, 'acme')}, in the order written`,
    );
    await job.run(`git ls-remote ${host.url('acme/lib')} || true`);
    expect((await host.log()).at(-1)?.offered[0]).toBe(keys.get(parameter(0, 'acme/tools'))?.fingerprint);
  });

  it('forgets nothing when the lifetime is over but says it', async () => {
    const [host] = hosts as [GitHost, GitHost];
    const job = stage.job({ env: world.jobEnvironment() });
    const inputs = {
      'aws-region': REGION,
      'role-to-assume': ROLE_ARN,
      'known-hosts': host.knownHosts,
      'key-lifetime': '1s',
    };
    await job.uses({ with: { keys: `${parameter(0, 'acme/lib')} ${pattern(host, 'acme/lib')}`, ...inputs } });
    const { log } = await job.run(`sleep 2; git ls-remote ${host.url('acme/lib')} || true`);
    expect(log).toContain('ssm-ssh: AGENT_FAILED: the key for 127.0.0.1/acme/lib is no longer in the agent');
  });
});
