/** Keys that stay in KMS, by add and log: the built program, real ssh-agent and ssh-add. */
import { chmodSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { launcher, openEc2Host, type Ec2Host, type Ended } from '../ec2-host.ts';
import { repository, useStage } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { kmsCalls, makeKmsKey, maySign } from './kms-keys.ts';

describe('add with a key in KMS', () => {
  const stage = useStage();
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host([maySign]);
    const { publicKey } = makeKmsKey(host.world, 'deploy');
    stage.host.addDeployKey({ repository, publicKey, write: true });
    host.world.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterEach(async () => {
    for (let waited = 0; waited < 5000 && host.leftovers().length > 0; waited += 20) await sleep(20);
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const shell = (script: string): Promise<Ended> => host.start(['sh', '-c', script]).ended;
  const address = (): string => `${stage.host.address}:${String(stage.host.port)}`;
  const start = (...words: string[]): string =>
    `eval "$(${launcher} add --agent --quiet ${words.map((word) => `'${word}'`).join(' ')})"`;

  it('starts an agent of ours with OpenSSH’s behind it, which logs what it signs, and which ssh-agent -k ends', async () => {
    const known = `mkdir -p "$HOME/.ssh" && printf %s '${stage.host.knownHosts}' >"$HOME/.ssh/known_hosts"`;
    const script = [
      known,
      start(`kms:alias/deploy ${address()}`, '/ci/deploy-key', '--lifetime', '10m'),
      'ssh-add -l',
      `GIT_SSH_COMMAND="ssh -o UserKnownHostsFile='$HOME/.ssh/known_hosts'" git ls-remote ${stage.host.url(repository)} main`,
      `${launcher} log`,
      `${launcher} log --json | grep -c '"outcome": "signed"'`,
      'ssh-agent -k >/dev/null',
    ].join('\n');
    const { exitCode, stdout, stderr } = await shell(`set -e\n${script}`);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      new RegExp(
        `^256 SHA256:\\S+ .*\n256 ${stage.key.fingerprint.replace(/[+/]/g, '\\$&')} .*\n.*refs/heads/main\n\\d{4}-\\S+Z .*: signed a login as \\S+ at \\[\\S+ by ssh-ed25519\n1\n$`,
      ),
    );
    expect(kmsCalls(host.world)).toEqual(['kms:GetPublicKey', 'kms:Sign']);
  });

  it('forgets the key after its lifetime, with the agent and its folder', async () => {
    const { stdout, stderr } = await shell(
      `${start('kms:alias/deploy', '--lifetime', '3s')}; ssh-add -l | wc -l; sleep 4; ls -A "$TMPDIR"`,
    );
    expect([stderr, stdout.trim()]).toEqual(['', '1']);
  });

  it('leaves no agent, no key and no folder if our agent is killed', async () => {
    const { stdout, stderr } = await shell(
      `${start('kms:alias/deploy', '/ci/deploy-key')}; ssh-add -l | wc -l; kill -9 "$SSH_AGENT_PID"
      for n in 1 2 3 4 5 6 7 8 9; do [ -d "\${SSH_AUTH_SOCK%/*}" ] || break; sleep 0.3; done; ls -A "$TMPDIR"`,
    );
    expect([stderr, stdout.trim()]).toEqual(['', '2']);
  });

  it('adds it to an agent of ours at SSH_AUTH_SOCK, beside the keys that the agent has', async () => {
    makeKmsKey(host.world, 'other', 'ECC_NIST_P256');
    const script = [
      `mkdir -p "$HOME/.ssh" && printf %s '${stage.host.knownHosts}' >"$HOME/.ssh/known_hosts"`,
      start('kms:alias/other', '--lifetime', '10m'),
      `${launcher} add 'kms:alias/deploy ${address()}' /ci/deploy-key --lifetime 4s`,
      'ssh-add -l | wc -l',
      `GIT_SSH_COMMAND="ssh -o UserKnownHostsFile='$HOME/.ssh/known_hosts'" git ls-remote ${stage.host.url(repository)} main`,
      `${launcher} log`,
      'sleep 5',
      'ssh-add -l',
      'ssh-agent -k >/dev/null',
    ].join('\n');
    const { exitCode, stdout, stderr } = await shell(`set -e\n${script}`);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^ssm-ssh-agent: kms:alias\/deploy: .*\nssm-ssh-agent: \/ci\/deploy-key\b.*\n$/);
    expect(stdout).toMatch(
      /^3\n.*refs\/heads\/main\n(.*refused.*\n)?.*kms:alias\/deploy: signed a login as .*\n256 \S+ kms:alias\/other .*\n$/,
    );
  });

  it('adds all keys of a call or none, and none for other settings than those of the agent', async () => {
    const { stdout, stderr } = await shell(
      `${start('kms:alias/deploy', '--lifetime', '10m')}
      makes() { "$@" || echo "exit code $?"; }
      makes ${launcher} add 'kms:alias/deploy unbound=allow' kms:alias/nothing '/ci/deploy-key'
      makes env AWS_REGION=eu-central-1 ${launcher} add kms:alias/deploy
      ssh-add -l | grep -c kms:alias/deploy; ssh-agent -k >/dev/null`,
    );
    expect(stdout).toBe('exit code 1\nexit code 2\n1\n');
    expect(stderr).toMatch(
      /^ssm-ssh-agent: KEY_NOT_FOUND: .*kms:alias\/nothing.*\nhint: .*\nssm-ssh-agent: INPUT_INVALID: .*another value of AWS_REGION.*\nhint: start another agent: .*\n$/,
    );
  });

  it('cannot add it to OpenSSH’s agent, and says how to start ours', async () => {
    const session = `ssh-agent -s -a '${join(host.folder, 'session')}'`;
    const { exitCode, stdout, stderr } = await shell(
      `eval "$(${session})" >/dev/null; ${launcher} add kms:alias/deploy; code=$?; kill "$SSH_AGENT_PID"; exit "$code"`,
    );
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^ssm-ssh-agent: INPUT_INVALID: kms:alias\/deploy .*\nhint: .*add --agent 'kms:alias\/deploy'/,
    );
    expect(host.world.aws.calls).toEqual([]);
  });

  it('gives no credentials to a socket in a folder that other users can open', async () => {
    const folder = join(host.folder, 'shared');
    mkdirSync(folder);
    chmodSync(folder, 0o1777);
    const heard: Buffer[] = [];
    // Any user of the machine can put a socket there, with the name that our agent's has.
    const server = createServer((client) => client.on('data', (chunk: Buffer) => heard.push(chunk)));
    server.listen(join(folder, 'control'));
    const ours = join(folder, 'agent');
    const { exitCode, stdout, stderr } = await shell(
      `eval "$(ssh-agent -s -a '${ours}')" >/dev/null; ${launcher} add kms:alias/deploy; code=$?; kill "$SSH_AGENT_PID"; exit "$code"`,
    );
    server.close();
    expect([exitCode, stdout, Buffer.concat(heard).toString()]).toEqual([1, '', '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: STATE_UNSAFE: the folder .* is open to other users\nhint: /);
  });

  it('gives no credentials to another program’s socket of that name, as GNOME’s keyring has, and does not wait', async () => {
    const folder = join(host.folder, 'keyring');
    mkdirSync(folder, { mode: 0o700 });
    const heard: Buffer[] = [];
    const server = createServer((client) => client.on('data', (chunk: Buffer) => heard.push(chunk)));
    server.listen(join(folder, 'control'));
    const { stdout, stderr } = await shell(`
      eval "$(ssh-agent -s -a '${folder}/ssh')" >/dev/null; export AWS_ACCESS_KEY_ID=AKIAHEARD AWS_SECRET_ACCESS_KEY=heard
      timeout 60 ${launcher} add kms:alias/deploy; echo "add $?"
      ${launcher} log; echo "log $?"; kill "$SSH_AGENT_PID"`);
    server.close();
    expect([stdout, Buffer.concat(heard).toString()]).toEqual([
      'add 2\nlog 0\n',
      expect.not.stringMatching(/heard/i),
    ]);
    expect(stderr).toContain('no agent for keys in KMS runs');
  });

  it('prints nothing to eval, and leaves nothing, where KMS denies the key', async () => {
    const { exitCode, stdout, stderr } = await host.agent([
      'add',
      '--agent',
      '/ci/deploy-key',
      'kms:alias/nothing',
    ]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: KEY_NOT_FOUND: /);
  });
});
