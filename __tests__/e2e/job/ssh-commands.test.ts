/** Whose ssh, with whose keys, where a job, its image or a later step has an ssh command or an agent of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import type { Job, StepResult } from '../../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { repository, told, useStage } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

describe('in a job', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let folder: string;
  /** For another repository, and for none. */
  let [tools, stranger]: SshKey[] = [];
  let job: Job;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ssh-commands-'));
    [world, tools, stranger] = await Promise.all([startReadyWorld(), makeSshKey(), makeSshKey()]);
    await stage.host.createRepository('acme/tools');
    stage.host.addDeployKey({ repository: 'acme/tools', publicKey: tools.publicKey });
    world.put('/ci/lib', stage.key.privateKey);
    world.put('/ci/tools', tools.privateKey);
    world.put('/ci/stranger', stranger.privateKey);
    for (const [name, { privateKey }] of Object.entries({ lib: stage.key, stranger }))
      writeFileSync(join(folder, name), privateKey, { mode: 0o600 });
  });
  beforeEach(() => {
    job = stage.job({ env: { ...world.jobEnvironment(), GIT_CONFIG_NOSYSTEM: '1' } });
  });
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  const place = (name: string): string => `${stage.host.address}:${String(stage.host.port)}/${name}`;
  const use = async (keys: string, more: Readonly<Record<string, string>> = {}): Promise<StepResult> => {
    const inputs = { 'aws-region': REGION, 'role-to-assume': ROLE_ARN, 'known-hosts': stage.host.knownHosts };
    const main = await job.uses({ with: { keys, ...inputs, ...more } });
    expect(told(main).text).toBe('');
    return main;
  };
  const configure = (command: string): void => {
    writeFileSync(join(job.home, '.gitconfig'), `[core]\n\tsshCommand = ${command}\n`);
  };
  const list = async (script = ''): Promise<string> =>
    (await job.run(`${script}git ls-remote ${stage.host.url(repository)} main || true`)).log;
  const lastOffered = async (): Promise<readonly string[] | undefined> =>
    (await stage.host.log()).at(-1)?.offered;

  describe('core.sshCommand of the image, without a key of its own,', () => {
    it('is run with the default key alone, however many the agent has', async () => {
      await use(`/ci/tools ${place('acme/tools')}\n/ci/stranger gitlab.com\n/ci/lib`);
      configure('ssh -o LogLevel=ERROR -o StrictHostKeyChecking=no');
      expect(await list()).toContain('refs/heads/main');
      expect(await lastOffered()).toEqual([stage.key.fingerprint]);
    });

    it('is held to the host keys of the job where it does not say otherwise', async () => {
      await use('/ci/lib');
      configure('ssh -o BatchMode=yes');
      expect(await list()).toContain('refs/heads/main');
      job = stage.job({ env: { ...world.jobEnvironment(), GIT_CONFIG_NOSYSTEM: '1' } });
      await use('/ci/lib', { 'known-hosts': '' });
      configure('ssh -o BatchMode=yes');
      expect(await list()).toContain('Host key verification failed');
    });

    it('is not given a key where the job has no default key', async () => {
      await use(`/ci/tools ${place('acme/tools')}\n/ci/stranger gitlab.com`);
      configure('ssh -o StrictHostKeyChecking=no');
      expect(await list()).toContain('Permission denied');
      expect(await lastOffered()).toEqual([]);
    });

    it.each([
      ['-i', () => `ssh -i ${join(folder, 'lib')} -o IdentitiesOnly=yes`],
      ['-Tqi', () => `ssh -Tqi ${join(folder, 'lib')} -o IdentitiesOnly=yes`],
      [
        '-F',
        () => {
          writeFileSync(join(folder, 'config'), `IdentityFile ${join(folder, 'lib')}\nIdentitiesOnly yes\n`);
          return `ssh -F ${join(folder, 'config')}`;
        },
      ],
      [
        'a script that names one',
        () => {
          const script = join(folder, 'git-ssh');
          const text = `#!/bin/sh\nexec ssh -i ${join(folder, 'lib')} -o IdentitiesOnly=yes "$@"\n`;
          writeFileSync(script, text, { mode: 0o755 });
          return script;
        },
      ],
    ])('stays with its own key where it has one: %s', async (_, command) => {
      await use('/ci/stranger');
      writeFileSync(join(job.home, 'known'), stage.host.knownHosts);
      configure(`${command()} -o UserKnownHostsFile=${join(job.home, 'known')}`);
      expect(await list()).toContain('refs/heads/main');
      expect(await lastOffered()).toEqual([stage.key.fingerprint]);
    });
  });

  describe('an agent that a later step starts', () => {
    const startAgent = (): string =>
      `eval "$(ssh-agent -s)" >/dev/null; trap 'ssh-agent -k >/dev/null' EXIT; ssh-add -q ${join(folder, 'lib')}\n`;

    it('serves what no key of the action is for', async () => {
      await use(`/ci/tools ${place('acme/tools')}`);
      expect(await list()).toContain('Permission denied');
      expect(await list(startAgent())).toContain('refs/heads/main');
      expect(await lastOffered()).toEqual([stage.key.fingerprint]);
    });

    it('serves core.sshCommand where the action has no default key', async () => {
      await use(`/ci/tools ${place('acme/tools')}`);
      configure(`ssh -o StrictHostKeyChecking=no`);
      expect(await list(startAgent())).toContain('refs/heads/main');
    });

    it('is none where the step has none, whatever there was before the action', async () => {
      const before = join(folder, 'before');
      await job.run(
        `ssh-agent -a ${before} >/dev/null; SSH_AUTH_SOCK=${before} ssh-add -q ${join(folder, 'lib')}; echo SSH_AUTH_SOCK=${before} >>"$GITHUB_ENV"`,
      );
      await use(`/ci/tools ${place('acme/tools')}`);
      expect(await list()).toContain('refs/heads/main');
      expect(await list('export SSH_AUTH_SOCK=\n')).toContain('Permission denied');
      expect(await list('unset SSH_AUTH_SOCK\n')).toContain('Permission denied');
    });

    it('stays the job’s after post, where GITHUB_ENV names it', async () => {
      await use(`/ci/tools ${place('acme/tools')}`);
      const socket = join(folder, 'later');
      const names = `printf '%s\\n' SSH_AUTH_SOCK=${socket} SSH_AGENT_PID=1 >>"$GITHUB_ENV"`;
      await job.run(
        `ssh-agent -a ${socket} >/dev/null; SSH_AUTH_SOCK=${socket} ssh-add -q ${join(folder, 'lib')}; ${names}`,
      );
      expect(await list()).toContain('refs/heads/main');
      const { posts } = await job.finish({ posts: 1 });
      expect(posts[0]?.env).toEqual({ GIT_SSH_COMMAND: 'ssh', GIT_SSH_VARIANT: 'ssh' });
      expect((await job.run('echo "$SSH_AUTH_SOCK $SSH_AGENT_PID"')).log).toBe(`${socket} 1\n`);
    });
  });

  it.each([
    ['\\\\n', String.raw`acme/x\n::error::y`],
    ['a line end', 'acme/x\n::error::y'],
  ])('a URL of others with %s in it is no command to the runner', async (_, name) => {
    await use('/ci/lib');
    const { annotations, log } = await job.run(
      `ssh-add -q -D; git ls-remote '${stage.host.url(name)}' || true`,
    );
    expect(log).toMatch(/the key for .*::error::y.* is no longer in the agent/);
    expect(annotations).toEqual([]);
  });

  describe('a GIT_SSH_COMMAND of its own', () => {
    const set = async (command: string): Promise<void> => {
      await job.run(`echo 'GIT_SSH_COMMAND=${command}' >>"$GITHUB_ENV"`);
    };

    it('is replaced with a word, which does not repeat it', async () => {
      await set('sshpass -p hunter2 ssh');
      const main = await use('/ci/lib');
      expect(main.log).toMatch(/own GIT_SSH_COMMAND is replaced until the end of the job/);
      expect(main.raw).not.toContain('hunter2');
    });

    it('goes without one where it is plain ssh, or an earlier use’s', async () => {
      await set('ssh');
      expect((await use('/ci/lib')).log).not.toContain('is replaced');
      expect((await use('/ci/tools')).log).not.toContain('is replaced');
    });

    it('that a later step sets stays the job’s after post', async () => {
      await use('/ci/lib');
      await set('ssh -v');
      const { posts } = await job.finish();
      expect(posts[0]?.env).toEqual({ SSH_AUTH_SOCK: '', SSH_AGENT_PID: '' });
    });
  });
});
