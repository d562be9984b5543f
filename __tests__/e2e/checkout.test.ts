import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { checkout, type Checkout } from '../support/checkout.ts';
import type { Repository } from '../support/git-host/git-host.ts';
import type { Job } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { repository as lib, told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

const ci = '-c user.name=ci -c user.email=ci@acme.test';
const fetchAndPush = `git fetch --quiet && git ${ci} commit --quiet --allow-empty -m "from the job" && git push --quiet origin main && echo pushed`;

/** Of the host's two repositories acme/app is checkout's, with acme/lib as its submodule. */
describe('with actions/checkout', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let app: Repository;
  /** What checkout gets as ssh-key: it reads both. */
  let key: SshKey;
  /** A deploy key of acme/app. */
  let appKey: SshKey;

  beforeAll(async () => {
    [world, key, appKey] = await Promise.all([startReadyWorld(), makeSshKey(), makeSshKey()]);
    world.put('/ci/lib-key', stage.key.privateKey);
    world.put('/ci/app-key', appKey.privateKey);
    const { host } = stage;
    app = await host.createRepository('acme/app');
    host.addDeployKey({ repository: app.name, publicKey: appKey.publicKey, write: true });
    host.addUserKey({ user: 'octocat', publicKey: key.publicKey, repositories: [app.name, lib] });
    const { log } = await stage.job().run(`
      git clone --quiet ${app.directory} app && cd app
      git config --file .gitmodules submodule.lib.path lib
      git config --file .gitmodules submodule.lib.url ${host.url(lib)}
      git update-index --add --cacheinfo "160000,$(git -C ${join(dirname(app.directory), 'lib.git')} rev-parse main),lib"
      git add .gitmodules && git ${ci} commit --quiet -m 'a submodule' && git push --quiet && echo pushed`);
    expect(log).toBe('pushed\n');
  });
  afterAll(async () => {
    await world.stop();
  });

  const newJob = (): Job => stage.job({ env: world.jobEnvironment() });
  const pattern = (name: string): string => `${stage.host.address}:${String(stage.host.port)}/${name}`;
  const use = async (job: Job, keys: string): Promise<void> => {
    const inputs = { 'aws-region': REGION, 'role-to-assume': ROLE_ARN, 'known-hosts': stage.host.knownHosts };
    expect(told(await job.uses({ with: { keys, ...inputs } })).text).toBe('');
  };
  const useCheckout = async (job: Job, more: { key?: SshKey; submodules?: boolean }): Promise<Checkout> => {
    const used = checkout(job, { host: stage.host, repository: app, ...more });
    const main = await used.main();
    expect([main.outcome, main.log]).toEqual(['success', '']);
    return used;
  };
  /** What the host was offered for each connection that the step made. */
  const offeredDuring = async (step: () => Promise<unknown>): Promise<(readonly string[])[]> => {
    const { length } = await stage.host.log();
    await step();
    return (await stage.host.log()).slice(length).map(({ offered }) => offered);
  };
  const run = async (job: Job, script: string, env: Record<string, string> = {}): Promise<void> => {
    const { outcome, log } = await job.run(script, { env });
    expect([log, outcome]).toEqual([expect.stringMatching(/(pushed|done)\n$/), 'success']);
  };

  it.each([
    ['a default key', () => '/ci/lib-key'],
    ['keys for other repositories', () => `/ci/lib-key ${pattern(lib)}`],
  ])('and its ssh-key before %s: its repository is fetched and pushed by its key alone', async (_, keys) => {
    const job = newJob();
    await useCheckout(job, { key });
    await use(job, keys());
    const offered = await offeredDuring(() => run(job, fetchAndPush));
    expect(offered).toEqual([[key.fingerprint], [key.fingerprint]]);
  });

  it('and its ssh-key before a key that names its repository: that key is offered alone', async () => {
    const job = newJob();
    await useCheckout(job, { key });
    await use(job, `/ci/app-key ${pattern(app.name)}`);
    const offered = await offeredDuring(() => run(job, fetchAndPush));
    expect(offered).toEqual([[appKey.fingerprint], [appKey.fingerprint]]);
  });

  it('and its ssh-key before a default key: what is cloned inside its folder is cloned by the default key', async () => {
    const job = newJob();
    await useCheckout(job, { key });
    await use(job, '/ci/lib-key');
    const clone = `git clone --quiet ${stage.host.url(lib)} other && git -C other fetch --quiet && echo done`;
    const offered = await offeredDuring(() => run(job, clone));
    expect(offered).toEqual([[stage.key.fingerprint], [stage.key.fingerprint]]);
  });

  it('that has fetched submodules by its ssh-key: they too stay with that key', async () => {
    const job = newJob();
    await useCheckout(job, { key, submodules: true });
    await use(job, '/ci/app-key');
    const offered = await offeredDuring(() =>
      run(job, `git submodule --quiet foreach 'git fetch --quiet' && echo done`),
    );
    expect(offered).toEqual([[key.fingerprint]]);
  });

  it.each([
    ['a default key', () => '/ci/lib-key'],
    ['the key that names it', () => `/ci/app-key\n/ci/lib-key ${pattern(lib)}`],
  ])('without ssh-key: a later step fetches a submodule by %s', async (_, keys) => {
    const job = newJob();
    await useCheckout(job, {});
    await use(job, keys());
    const update =
      'git submodule --quiet update --init && git -C lib fetch --quiet && cat lib/README.md && echo done';
    const offered = await offeredDuring(() => run(job, update));
    expect(offered).toEqual([[stage.key.fingerprint], [stage.key.fingerprint]]);
  });

  it('and its ssh-key after the action, in a step without SSH_AUTH_SOCK: by its key alone, then and later', async () => {
    const job = newJob();
    await use(job, `/ci/lib-key ${pattern(lib)}`);
    const used = checkout(job, { host: stage.host, repository: app, key, submodules: true });
    const offered = await offeredDuring(async () => {
      const main = await used.main({ env: { SSH_AUTH_SOCK: '' } });
      expect([main.log, main.outcome]).toEqual(['', 'success']);
      await run(job, fetchAndPush);
    });
    expect(offered).toEqual(Array.from({ length: 4 }, () => [key.fingerprint]));
  });

  it("a step's own GIT_SSH_COMMAND is what git starts, whatever is loaded", async () => {
    const job = newJob();
    await use(job, `/ci/app-key ${pattern(app.name)}`);
    const env = { GIT_SSH_COMMAND: 'echo "theirs: $*" >&2; false' };
    const { log } = await job.run(`git ls-remote ${stage.host.url(app.name)} || true`, { env });
    expect(log).toMatch(/^theirs: .* git-upload-pack '\/acme\/app.git'$/m);
  });

  it.each(['before', 'after'])('used %s it: neither post touches what is the other’s', async (order) => {
    const job = newJob();
    const keys = `/ci/lib-key ${pattern(lib)}`;
    if (order === 'after') await use(job, keys);
    const used = checkout(job, { host: stage.host, repository: app, key });
    await used.main({ env: { SSH_AUTH_SOCK: '' } });
    if (order === 'before') await use(job, keys);
    const configuration = async (): Promise<string> =>
      (await job.run('git config --local --list --show-origin')).log;
    const theirs = await configuration();
    expect(theirs).toContain('core.sshcommand=');
    const undoOurs = async (): Promise<void> => {
      const { posts, leftoverProcesses } = await job.finish();
      expect([posts.map(({ outcome }) => outcome), leftoverProcesses]).toEqual([['success'], []]);
    };
    if (order === 'before') {
      await undoOurs();
      expect(await configuration()).toBe(theirs);
      expect(used.files.filter((file) => !existsSync(file))).toEqual([]);
      // The runner cannot unset a variable: post has left it as `ssh`, which takes precedence over core.sshCommand.
      await run(job, `unset GIT_SSH_COMMAND && ${fetchAndPush}`);
      await used.post();
    } else {
      await used.post();
      await run(job, `git ls-remote ${stage.host.url(lib)} >/dev/null && echo done`);
      await undoOurs();
    }
    expect(await configuration()).not.toMatch(/sshcommand|includeif/);
    expect(job.files()).toEqual([]);
  });
});
