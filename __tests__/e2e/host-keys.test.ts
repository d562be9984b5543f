/** A host whose key ssh does not accept: ssm-ssh says behind ssh's own lines what to add to which file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, describe } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld } from '../support/aws/world.ts';
import { project } from '../support/ec2-host.ts';
import { describeOnHost } from '../support/on-host.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { useHost } from './host/use-host.ts';
import { told, useStage } from './stage.ts';
import { describeInTurn, itInTurn as it } from '../support/parts.ts';

const agent = join(project, 'helper/ssm-ssh-agent');

describeOnHost('a host whose key is not known, to a host of ours', () => {
  const stand = useHost();
  const clone = (into = 'lib'): string => `git clone --quiet ${stand.git.url('acme/lib')} ${into}`;
  const place = (): string => `[${stand.git.address}]:${String(stand.git.port)}`;
  const scan = (): string => `ssh-keyscan -p ${String(stand.git.port)} ${stand.git.address}`;
  /** Of another host. */
  const other = async (): Promise<string> => `${place()} ${(await makeSshKey()).publicKey}\n`;

  it.each([
    ['cold', false],
    ['warm', true],
  ])('is named with the command that reads its key, and with ssm.knownHosts: %s', async (_, isWarm) => {
    const { host } = stand;
    if (isWarm) await host.run(clone('before'));
    Reflect.deleteProperty(host.env, 'SSM_SSH_KNOWN_HOSTS');
    const { code, stderr } = await host.run(clone());
    expect(code).toBe(128);
    expect(stderr).toMatch(/^Host key verification failed\.\r?$/m);
    expect(stderr).toContain(
      `\nssm-ssh: KNOWN_HOSTS_INVALID: no key of ${place()} is known\n` +
        `hint: compare what ${scan()} | ssh-keygen -lf - prints with the fingerprint that the host publishes. If it is the same: ` +
        `${scan()} >>FILE, and ssm-ssh-agent setup --global --known-hosts FILE (or >>~/.ssh/known_hosts)\n`,
    );
    // What the hint says, word for word.
    Reflect.deleteProperty(host.env, 'GIT_CONFIG_NOSYSTEM');
    const done = await host.run(
      `${scan()} >>FILE 2>scanned; ${agent} setup --global --known-hosts FILE; ${clone()}`,
    );
    expect([done.code, readFileSync(join(host.home, 'lib/README.md'), 'utf8')]).toEqual([0, '# acme/lib\n']);
  });

  it('is named with the file that ssm.knownHosts names', async () => {
    const { host } = stand;
    const file = host.env['SSM_SSH_KNOWN_HOSTS'] ?? '';
    writeFileSync(file, '');
    const { stderr } = await host.run(clone());
    expect(stderr).toContain(` If it is the same: ${scan()} >>${file}\n`);
    expect((await host.run(`${scan()} >>${file}; ${clone()}`)).code).toBe(0);
  });

  it('has changed: the file and the line of the old one are named, and how to replace it', async () => {
    const { host } = stand;
    const file = host.env['SSM_SSH_KNOWN_HOSTS'] ?? '';
    writeFileSync(file, `# mine\n${await other()}`);
    const { code, stderr } = await host.run(clone());
    expect(code).toBe(128);
    expect(stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
    expect(stderr).toContain(
      `\nssm-ssh: KNOWN_HOSTS_INVALID: the key of ${place()} has changed: it is not the one in ${file}, line 2\n` +
        `hint: somebody may stand between: ask whoever runs the host for the fingerprint of its new key. Only if ${scan()} | ssh-keygen -lf - prints it: ssh-keygen -R '${place()}' -f ${file}, then ${scan()} >>${file}\n`,
    );
    expect(
      (await host.run(`ssh-keygen -R '${place()}' -f ${file}; ${scan()} >>${file}; ${clone()}`)).code,
    ).toBe(0);
  });

  it('is not what a refused key, an unreachable host or a missing repository is taken for', async () => {
    const { host, git, key } = stand;
    git.removeKey(key.publicKey);
    const refused = await host.run(clone());
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey, write: true });
    const missing = await host.run(`git clone --quiet ${git.url('acme/none')}`);
    Reflect.deleteProperty(host.env, 'SSM_SSH_KNOWN_HOSTS');
    const away = await host.run('git clone --quiet ssh://git@127.0.0.1:9/acme/lib.git');
    expect(refused.stderr).toContain('Permission denied');
    expect(away.stderr).toContain('Connection refused');
    for (const { code, stderr } of [refused, missing, away]) {
      expect(code).toBe(128);
      expect(stderr).not.toContain('KNOWN_HOSTS_INVALID');
    }
  });

  it('keeps the exit code of ssh, and the words of git', async () => {
    const { host, git } = stand;
    Reflect.deleteProperty(host.env, 'SSM_SSH_KNOWN_HOSTS');
    const { code, stderr } = await host.run(
      `$GIT_SSH_COMMAND -p ${String(git.port)} ${git.user}@${git.address} "git-upload-pack '/acme/lib.git'"`,
    );
    expect([code, stderr.match(/KNOWN_HOSTS_INVALID/g)?.length]).toEqual([255, 1]);
  });
});

describeInTurn(describe)('a host whose key is not known, to a job', () => {
  const stage = useStage();

  it.each(['unknown', 'changed'])('leads to the input known-hosts: %s', async (how) => {
    const world = await startReadyWorld();
    try {
      const { host } = stage;
      world.put('/ci/key', stage.key.privateKey);
      const job = stage.job({ env: world.jobEnvironment() });
      const place = `[${host.address}]:${String(host.port)}`;
      const scan = `ssh-keyscan -p ${String(host.port)} ${host.address}`;
      const other = `${place} ${(await makeSshKey()).publicKey}`;
      const inputs = { keys: '/ci/key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
      const main = await job.uses({ with: { ...inputs, 'known-hosts': how === 'unknown' ? '' : other } });
      expect(told(main).text).toBe('');
      const { exitCode, raw } = await job.run(`git clone --quiet ${host.url('acme/lib')}`);
      expect([exitCode, raw.includes('Host key verification failed.')]).toEqual([128, true]);
      expect(raw).toContain(
        how === 'unknown'
          ? `\nssm-ssh: KNOWN_HOSTS_INVALID: no key of ${place} is known\nhint: compare what ${scan} | ssh-keygen -lf - prints `
          : `\nssm-ssh: KNOWN_HOSTS_INVALID: the key of ${place} has changed: it is not the one in `,
      );
      if (how === 'changed')
        expect(raw).toContain(
          `prints it: replace the line of ${place} in the input known-hosts with what ${scan} prints\n`,
        );
      // As in a container that does not see where the action is installed: ssh's own words are all.
      const alone = await job.run(
        `rm "$RUNNER_TEMP"/*/installation "$RUNNER_TEMP"/*/origin || true; git clone --quiet ${host.url('acme/lib')}`,
      );
      expect([alone.exitCode, alone.raw.includes('Host key verification failed.')]).toEqual([128, true]);
      expect(alone.raw).not.toMatch(/ssm-ssh:|can't open|not found/);
      await job.finish();
    } finally {
      await world.stop();
    }
  });
});
