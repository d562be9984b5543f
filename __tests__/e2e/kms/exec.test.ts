/** Keys that stay in KMS, by exec: the built program, real ssh, sshd, git and ssh-agent. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { openEc2Host, type Ec2Host } from '../ec2-host.ts';
import { repository, useStage } from '../stage.ts';
import { runningProcesses } from '../../support/runner/process-table.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { kmsCalls, makeKmsKey, maySign } from './kms-keys.ts';

describe('exec with a key in KMS', () => {
  const stage = useStage();
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host([maySign]);
    const { publicKey } = makeKmsKey(host.world, 'deploy');
    stage.host.addDeployKey({ repository, publicKey, write: true });
    makeKmsKey(host.world, 'ca');
    host.world.put('/ci/deploy-key', stage.key.privateKey);
    writeFileSync(join(host.folder, 'known_hosts'), stage.host.knownHosts);
  });
  afterEach(async () => {
    expect(await gone()).toEqual([]);
    await host.close();
  });

  const gone = async (): Promise<string[]> => {
    for (let waited = 0; waited < 5000 && host.leftovers().length > 0; waited += 20) await sleep(20);
    return host.leftovers();
  };
  const address = (): string => `${stage.host.address}:${String(stage.host.port)}`;
  const exec = (line: string, ...words: string[]): string[] => [
    ...['exec', '--known-hosts', 'known_hosts', '--key', line, ...words],
  ];
  const list = (): string => `git ls-remote ${stage.host.url(repository)} main`;

  it('serves it in front of the private agent, with one request for a login', async () => {
    const script = `${list()} && ssh-add -l && ls "$(dirname "$SSH_AUTH_SOCK")"`;
    const args = exec(`kms:alias/deploy ${address()}`, '--key', '/ci/deploy-key', '--', 'sh', '-c', script);
    const { exitCode, stdout, stderr } = await host.agent(args);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/refs\/heads\/main\n256 SHA256:\S+ .*\(ED25519\)\n256 SHA256:\S+ .*\(ED25519\)\n/);
    expect(stdout).toContain('\nback\n');
    expect(kmsCalls(host.world)).toEqual(['kms:GetPublicKey', 'kms:Sign']);
  });

  it('serves it for the hosts of all its lines, and refuses lines with other options', async () => {
    const lines = (more: string): string[] =>
      exec(
        `kms:alias/deploy ${address()}/${repository}`,
        '--key',
        `kms:alias/deploy ${more} github.com/acme`,
      );
    const { exitCode, stdout, stderr } = await host.agent([...lines(''), '--', 'sh', '-c', list()]);
    expect([exitCode, stderr, stdout]).toEqual([0, '', expect.stringContaining('refs/heads/main')]);
    const differing = await host.agent([...lines('unbound=allow'), '--', 'sh', '-c', list()]);
    expect([differing.exitCode, differing.stdout]).toEqual([2, '']);
    expect(differing.stderr).toMatch(
      /^ssm-ssh-agent: INPUT_INVALID: kms:alias\/deploy is the key of two lines /,
    );
  });

  it('makes a certificate for a key that is made in memory', async () => {
    const line = 'new:ed25519 ca=kms:alias/ca principals=deploy,web extensions=permit-pty valid=5m';
    const script = 'ssh-add -L >cert && ssh-keygen -L -f cert; cat "$(dirname "$SSH_AUTH_SOCK")/keys/0.pub"';
    const { exitCode, stdout, stderr } = await host.agent(exec(line, '--verbose', '--', 'sh', '-c', script));
    expect([exitCode, stderr.includes('new:ed25519: ssh-ed25519 SHA256:')]).toEqual([0, true]);
    expect(stdout).toMatch(/Principals: \n\s+deploy\n\s+web\n/);
    expect(stdout).toMatch(/\nssh-ed25519-cert-v01@openssh.com AAAA/);
  });

  it('refuses another host, and says so where ssm-ssh is the parent of ssh', async () => {
    const args = exec('kms:alias/deploy', '--', 'sh', '-c', list());
    const { exitCode, stderr } = await host.agent(args);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/^ssm-ssh: SIGNATURE_REFUSED: .*\nhint: /m);
    expect(kmsCalls(host.world)).toEqual(['kms:GetPublicKey']);
  });

  it('keeps the agent, without the key, when its lifetime is over or its uses are taken', async () => {
    const first = exec(
      `kms:alias/deploy ${address()}`,
      '--lifetime',
      '3s',
      '--',
      'sh',
      '-c',
      'sleep 4; ssh-add -l',
    );
    expect(await host.agent(first)).toMatchObject({ stdout: 'The agent has no identities.\n', stderr: '' });
    const script = `${list()} >list && sleep 1 && ssh-add -l`;
    const keys = [`kms:alias/deploy uses=1 ${address()}`, '--key', `/ci/deploy-key ${address()}/none`];
    const [line = '', ...others] = keys;
    const { stdout, stderr } = await host.agent(exec(line, ...others, '--', 'sh', '-c', script));
    expect([stderr, stdout.trim().split('\n').length]).toEqual(['', 1]);
    expect(stdout).toContain(stage.key.fingerprint);
  });

  it('fails with the error of KMS, and leaves nothing', async () => {
    const { exitCode, stdout, stderr } = await host.agent(exec('kms:alias/nothing', '--', 'echo', 'never'));
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: KEY_NOT_FOUND: .*alias\/nothing.*\nhint: .*\n$/);
  });

  it('leaves nothing when it is killed, and does not open its inspector at SIGUSR1', async () => {
    const script = 'echo ready; while :; do sleep 0.05; done';
    const running = host.startAgent(exec('kms:alias/deploy', '--', 'sh', '-c', `echo $$; ${script}`));
    while (!running.said().includes('ready')) await sleep(10);
    const front = runningProcesses().find(({ command }) => command.includes(`front -a ${host.temp}`));
    process.kill(front?.pid ?? 0, 'SIGUSR1');
    await sleep(300);
    await expect(fetch('http://127.0.0.1:9229/json')).rejects.toThrow('fetch failed');
    running.child.kill('SIGKILL');
    expect(await gone()).toEqual([]);
    process.kill(Number(running.said().split('\n')[0]), 'SIGKILL');
    await running.ended;
  });

  it('leaves nothing when it is killed at any time', async () => {
    for (let after = 100; after <= 1300; after += 200) {
      const running = host.startAgent(exec('kms:alias/deploy', '--', 'true'));
      await sleep(after);
      running.child.kill('SIGKILL');
      await running.ended;
      expect(await gone()).toEqual([]);
    }
  });
});
