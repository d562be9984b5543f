/** A login fails since its key is replaced or gone: what `ssm-ssh` does about it, also twice in a row or after a kill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect } from '@jest/globals';
import { pidsOf } from '../../kills/kills.ts';
import { ACCOUNT, REGION } from '../../support/aws/world.ts';
import { certify } from '../../support/keygen.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { killAll } from '../../support/runner/process-table.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { useHost } from './use-host.ts';

describeOnHost('a key that is replaced while ssm-ssh has it', () => {
  const stand = useHost();
  const list = (): string => `git ls-remote ${stand.git.url('acme/lib')}`;

  let accepted: string | undefined;
  function accept(publicKey: string): void {
    stand.git.removeKey(accepted ?? stand.key.publicKey);
    stand.git.addDeployKey({ repository: 'acme/lib', publicKey, write: true });
    accepted = publicKey;
  }
  beforeEach(() => {
    accept(stand.key.publicKey);
  });

  /** The old key stops working, so that a login with it fails. */
  async function replaceKey(): Promise<string> {
    const next = await makeSshKey();
    accept(next.publicKey);
    stand.world.put('/ci/key', next.privateKey);
    return next.fingerprint;
  }

  /** git and what it starts, but not the agent, which has a life of its own. */
  async function killWhileItAsks(): Promise<void> {
    const { host } = stand;
    const before = stand.calls();
    const [file = '', ...args] = host.argv(['bash', '-c', list()]);
    const child = spawn(file, args, { cwd: host.home, env: host.env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    while (stand.calls() === before && child.exitCode === null) await sleep(5);
    expect(child.exitCode).toBe(null);
    killAll(pidsOf(child.pid));
    await ended;
  }

  const held = async (): Promise<string[]> => {
    const { stdout } = await stand.host.run(`SSH_AUTH_SOCK=${stand.host.state}/agent ssh-add -l`);
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
  };

  it.each([
    ['is replaced', replaceKey],
    [
      'is taken out of the agent',
      () => stand.host.run(`SSH_AUTH_SOCK=${stand.host.state}/agent ssh-add -qD`),
    ],
  ] as const)('%s: if ssm-ssh is killed while it asks, the next login works', async (_, happens) => {
    expect((await stand.host.run(list())).code).toBe(0);
    await happens();
    stand.world.aws.faults.order({ operation: 'ssm:GetParameter', fault: 'hang', times: 1 });
    await killWhileItAsks();
    expect((await stand.host.run(list())).code).toBe(0);
  });

  it('twice within a minute: both logins work, and the agent has the last key only', async () => {
    expect((await stand.host.run(list())).code).toBe(0);
    for (let times = 0; times < 2; times++) {
      const fingerprint = await replaceKey();
      expect((await stand.host.run(list())).code).toBe(0);
      expect(await held()).toEqual([fingerprint]);
    }
    expect(stand.calls()).toBe(3);
  });

  it('after a clock was set back: what was asked in time to come does not keep it from asking', async () => {
    expect((await stand.host.run(list())).code).toBe(0);
    accept((await makeSshKey()).publicKey);
    expect((await stand.host.run(list())).code).toBe(128);
    await stand.host.run(`touch -d tomorrow ${stand.host.state}/keys/*/asked`);
    await replaceKey();
    expect((await stand.host.run(list())).code).toBe(0);
  });

  it('by nothing, but was loaded by a version with other pinned host keys: these are replaced, and ssh tries again', async () => {
    const { host, git } = stand;
    expect((await host.run(list())).code).toBe(0);
    accept((await makeSshKey()).publicKey);
    const pinned = join(host.state, 'pinned_hosts');
    const ours = readFileSync(pinned, 'utf8');
    writeFileSync(pinned, 'github.com ssh-ed25519 AAAA\n');
    const logins = async (): Promise<number> => {
      const before = (await git.log()).length;
      expect((await host.run(list())).code).toBe(128);
      return (await git.log()).length - before;
    };
    const first = await logins();
    expect(readFileSync(pinned, 'utf8')).toBe(ours);
    await host.run(`touch -d '1 minute ago' ${pinned}`);
    expect(first).toBeGreaterThan(await logins());
  });

  it('by a parameter that was deleted and made anew, which has the same version: the login works', async () => {
    expect((await stand.host.run(list())).code).toBe(0);
    stand.world.aws.parameters.delete({ account: ACCOUNT, region: REGION }, '/ci/key');
    const fingerprint = await replaceKey();
    expect((await stand.host.run(list())).code).toBe(0);
    expect(await held()).toEqual([fingerprint]);
  });

  it('by nothing, but has a new certificate: the login works, and the agent has the last certificate only', async () => {
    const authority = await makeSshKey();
    await stand.git.createRepository('acme/certified');
    stand.git.addDeployKey({
      ...{ repository: 'acme/certified', publicKey: authority.publicKey, authority: true },
    });
    stand.git.removeKey(stand.key.publicKey);
    const sign = (validity: string): void => {
      const text = certify(stand.key.publicKey, authority.privateKey, ['-n', 'deploy', '-V', validity]);
      stand.world.put('/ci/certificate', text, { type: 'String' });
    };
    stand.host.env['SSM_SSH_CERTIFICATE'] = '/ci/certificate';
    const login = `git ls-remote ${stand.git.url('acme/certified')}`;
    sign('20200101:20200102');
    expect((await stand.host.run(login)).code).toBe(128);
    sign('-1h:+1h');
    await stand.host.run(`rm -f ${stand.host.state}/keys/*/asked`);
    expect((await stand.host.run(login)).code).toBe(0);
    const lines = await stand.host.run(`SSH_AUTH_SOCK=${stand.host.state}/agent ssh-add -L`);
    expect(lines.stdout.match(/-cert-v01@/g)).toHaveLength(1);
  });
});
