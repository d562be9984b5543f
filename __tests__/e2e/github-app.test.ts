import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createCertificates, type Certificates } from '../support/aws/wire/certificates.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { startHttpsGitHost, type HttpsGitHost } from '../support/git-host/https-git.ts';
import { startGitHubApi, type App, type GitHubApi } from '../support/github/github-api.ts';
import { createJob, type Job, type JobOptions, type StepResult } from '../support/runner/job.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { actionPath, told } from './stage.ts';

describe('as=github-app', () => {
  let certificates: Certificates;
  let git: HttpsGitHost;
  let other: HttpsGitHost;
  let world: ReadyWorld;
  let github: GitHubApi;
  let app: App;
  const jobs: Job[] = [];

  beforeAll(async () => {
    certificates = await createCertificates();
    [git, other, github, world] = await Promise.all([
      startHttpsGitHost(certificates),
      startHttpsGitHost(certificates),
      startGitHubApi({ tls: certificates }),
      startReadyWorld(),
    ]);
    for (const server of [git, other]) server.letInBy(github.opens);
    await Promise.all(['acme/lib', 'acme/Tools', 'acme/app'].map((name) => git.createRepository(name)));
    await other.createRepository('acme/lib');
    app = github.createApp();
    github.install(app, { owner: 'acme', repositories: ['lib', 'Tools'] });
    world.put('/ci/app', app.stored());
  });
  afterAll(async () => {
    await Promise.all([git.stop(), other.stop(), github.stop(), world.stop(), certificates.remove()]);
  });
  beforeEach(() => {
    github.forgetCalls();
    for (const server of [git, other]) (server.log as unknown[]).length = 0;
  });
  afterEach(() => {
    github.faults.clear();
    for (const job of jobs.splice(0)) job.dispose();
  });

  const start = (env: Record<string, string> = {}, options: Partial<JobOptions> = {}): Job => {
    const trust = { GIT_SSL_CAINFO: certificates.caFile, NODE_EXTRA_CA_CERTS: certificates.caFile };
    const quiet = { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
    const job = createJob({
      actionPath,
      ...options,
      env: { ...world.jobEnvironment(), ...trust, ...quiet, ...env },
    });
    jobs.push(job);
    return job;
  };
  const inputs = (more: Record<string, string> = {}): Record<string, string> => ({
    keys: `/ci/app as=github-app ${git.place}/acme/lib`,
    'aws-region': REGION,
    'role-to-assume': ROLE_ARN,
    ...more,
  });
  const as = `git -c user.name=ci -c user.email=ci@acme.test`;
  const passwords = (server: HttpsGitHost): (string | undefined)[] => [
    ...new Set(server.log.map(({ sent }) => sent)),
  ];
  const newest = (): string => github.tokens.at(-1)?.token ?? '';
  const revoked = (): boolean[] => github.tokens.slice(-1).map((token) => token.revoked);
  const asked = (): string[] => github.calls.map(({ operation }) => operation);

  it('lets git clone, push and fetch there, sends the token to no other host, and is revoked in post', async () => {
    const job = start();
    const main = await job.uses({ with: inputs() });
    expect(told(main).text).toBe('');
    const work = await job.run(
      `git clone --quiet ${git.url('acme/lib')} lib && cd lib
       ${as} commit --quiet --allow-empty -m work && git push --quiet && git fetch --quiet
       git ls-remote ${git.url('acme/lib').replace(/\.git$/, '')} main
       git ls-remote ${other.url('acme/lib')} || echo refused elsewhere
       git ls-remote ${git.url('acme/Tools')} || echo refused beside`,
    );
    expect(work.log).toMatch(/refs\/heads\/main\n/);
    expect(work.log).toMatch(/refused elsewhere/);
    expect(work.log).toMatch(/refused beside/);
    expect(passwords(git)).toEqual([undefined, `x-access-token:${newest()}`]);
    expect(git.log.filter(({ url, sent }) => sent && !url.startsWith('/acme/lib'))).toEqual([]);
    expect(passwords(other)).toEqual([undefined]);
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
    expect(posts[0]?.log).toMatch(/the token for localhost:\d+ is revoked/);
    expect([revoked(), leftoverProcesses, job.files()]).toEqual([[true], [], []]);
    expect(asked().at(-1)).toBe('DELETE /installation/token');
  });

  it('shows the token as one, with its end, and neither its text nor that of the key anywhere', async () => {
    const job = start({}, { debug: true });
    const main = await job.uses({ with: inputs() });
    const after = await job.run(
      'env; git config --list --show-origin; cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "',
    );
    expect(main.log).toMatch(
      /\/ci\/app \(version 1\): a token for localhost:\d+\/acme\/lib, until \d\d:\d\d UTC/,
    );
    expect(main.summary).toMatch(
      /### Tokens\n[^]*\| token for HTTPS \| `localhost:\d+\/acme\/lib` \| until \d\d:\d\d UTC \|/,
    );
    const basic = Buffer.from(`x-access-token:${newest()}`).toString('base64');
    const secrets = [newest(), basic, ...app.privateKey.trim().split('\n').slice(1, -1)];
    expect(main.masks).toEqual(expect.arrayContaining(secrets));
    const shown = [main.raw.replace(/^::add-mask::.*$/gm, ''), after.raw, main.summary].join('\n');
    const files = job.files().filter(({ kind }) => kind === 'file');
    const texts = [
      ...files.map(({ path }) => readFileSync(path, 'latin1')),
      JSON.stringify([main.outputs, main.env, main.state]),
      shown,
    ];
    for (const secret of secrets) expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    expect(job.files().filter(({ mode }) => (mode & 0o077) !== 0)).toEqual([]);
  });

  it('alone needs no agent and no OpenSSH, and touches nothing of ssh', async () => {
    const bin = mkdtempSync(join(tmpdir(), 'bin-'));
    writeFileSync(
      join(bin, 'git'),
      `#!/bin/sh\nexec $(PATH=${process.env['PATH'] ?? ''} command -v git) "$@"\n`,
      { mode: 0o755 },
    );
    const job = start({ PATH: bin, SSH_AUTH_SOCK: '/run/mine' });
    const main = await job.uses({ with: inputs() });
    expect(told(main).text).toBe('');
    expect(Object.keys(main.env).filter((name) => !name.startsWith('GIT_CONFIG_'))).toEqual([]);
    expect(main.outputs).toMatchObject({
      'ssh-auth-sock': '',
      fingerprints: '[]',
      'aws-account-id': '111122223333',
    });
    const { posts } = await job.finish();
    expect(posts[0]?.env).toEqual({ GIT_CONFIG_COUNT: '0' });
    rmSync(bin, { recursive: true });
  });

  it('goes before helpers that are there, which get no token to store, and leaves them what it is not for', async () => {
    const job = start();
    writeFileSync(
      join(job.home, '.gitconfig'),
      '[credential]\n\thelper = store\n\tuseHttpPath = true\n\tusername = somebody\n',
    );
    const theirs = `https://somebody:old@${git.place}\n`.replace(
      ':' + (git.place.split(':')[1] ?? ''),
      `%3a${git.place.split(':')[1] ?? ''}`,
    );
    writeFileSync(join(job.home, '.git-credentials'), theirs);
    await job.uses({ with: inputs() });
    const work = await job.run(`git ls-remote ${git.url('acme/lib')} main; cat ~/.git-credentials`);
    expect(work.log).toContain('refs/heads/main');
    expect(work.log).toContain(theirs);
    expect(passwords(git)).toEqual([undefined, `x-access-token:${newest()}`]);
    await job.run(`git ls-remote ${git.url('acme/app')} || :`);
    expect(passwords(git)).toContain('somebody:old');
  });

  it('goes before the header that actions/checkout leaves in its repository', async () => {
    const job = start();
    const header = Buffer.from('x-access-token:of-the-job').toString('base64');
    await job.run(
      `git init --quiet . && git config http.https://${git.place}/.extraheader 'AUTHORIZATION: basic ${header}'`,
    );
    const before = await job.run(`git ls-remote ${git.url('acme/lib')} main || echo not found`);
    expect(before.log).toMatch(/not found/);
    await job.uses({ with: inputs() });
    (git.log as unknown[]).length = 0;
    const work = await job.run(
      `git ls-remote ${git.url('acme/lib')} main; git ls-remote ${git.url('acme/app')} || :`,
    );
    expect(work.log).toContain('refs/heads/main');
    expect(git.log.map(({ url, sent }) => [url.split('.git')[0], sent?.split(':')[1]])).toEqual([
      ['/acme/lib', undefined],
      ['/acme/lib', newest()],
      ['/acme/lib', newest()],
      ['/acme/app', 'of-the-job'],
    ]);
  });

  it('of an owner is for all that the App sees there, however the repository is written', async () => {
    const job = start();
    await job.uses({ with: inputs({ keys: `/ci/app as=github-app https://${git.place}/acme` }) });
    const work = await job.run(
      `git ls-remote ${git.url('acme/lib')} main; git ls-remote ${git.url('acme/Tools')} main`,
    );
    expect(work.log.match(/refs\/heads\/main/g)?.length).toBe(2);
    expect(github.tokens.at(-1)?.repositories).toEqual(['lib', 'Tools']);
  });

  it('twice in one job, and beside an SSH key: both tokens serve, each post undoes its own', async () => {
    const key = await makeSshKey();
    world.put('/ci/deploy-key', key.privateKey);
    const there = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'somebody' };
    const job = start(there);
    await job.uses({ with: inputs() });
    const first = newest();
    const keys = `/ci/deploy-key github.com/acme/ssh\n/ci/app as=github-app ${git.place}/acme/Tools`;
    const main = await job.uses({ with: inputs({ keys }) });
    expect(told(main).text).toBe('');
    expect(main.summary).toMatch(/### SSH keys and tokens/);
    const work = await job.run(
      `ssh-add -l; git config user.name
       git ls-remote ${git.url('acme/lib')} main; git ls-remote ${git.url('acme/Tools')} main`,
    );
    expect(work.log).toContain(key.fingerprint);
    expect(work.log).toContain('somebody');
    expect(work.log.match(/refs\/heads\/main/g)?.length).toBe(2);
    expect(passwords(git)).toEqual([undefined, `x-access-token:${first}`, `x-access-token:${newest()}`]);
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ env }) => env['GIT_CONFIG_COUNT'])).toEqual([
      main.env['GIT_CONFIG_COUNT'] && '11',
      '1',
    ]);
    expect(github.tokens.slice(-2).map((token) => token.revoked)).toEqual([true, true]);
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
    expect((await job.run('git config user.name; git config --get-regexp credential || echo none')).log).toBe(
      'somebody\nnone\n',
    );
  });

  it('on a runner whose temporary folder is too deep for a socket works, and leaves nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'deep-'));
    const [temp, shelter] = [join(folder, "it's ".repeat(20)), join(folder, 's')];
    for (const path of [temp, shelter]) mkdirSync(path, { recursive: true });
    const job = start({ RUNNER_TEMP: temp, TMPDIR: shelter });
    expect(told(await job.uses({ with: inputs() })).text).toBe('');
    expect((await job.run(`git ls-remote ${git.url('acme/lib')} main`)).log).toContain('refs/heads/main');
    const { leftoverProcesses } = await job.finish();
    expect([leftoverProcesses, readdirSync(temp), readdirSync(shelter)]).toEqual([[], [], []]);
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['cancelled', 'cancelWhen'],
    ['killed', 'killWhen'],
  ] as const)(
    'in a job that is %s while it makes its second token leaves no token that opens anything',
    async (_, when) => {
      const second = github.createApp();
      github.install(second, { owner: 'zoo', repositories: ['lib'] });
      world.put('/ci/second', second.stored());
      github.faults.order({ operation: 'GET /repos/zoo/*', fault: 'hang' });
      const job = start();
      const waiting = async (): Promise<void> => {
        while (!asked().some((operation) => operation.includes('/zoo/'))) await sleep(5);
      };
      const keys = `${inputs()['keys'] ?? ''}\n/ci/second as=github-app ${git.place}/zoo/lib`;
      const main = await job.uses({ with: inputs({ keys }), [when]: waiting });
      expect(main.outcome).not.toBe('success');
      const { posts, leftoverProcesses } = await job.finish();
      expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
      expect([revoked(), leftoverProcesses, job.files()]).toEqual([[true], [], []]);
    },
  );

  it('in a job that died is revoked by the next one on the runner, and its daemon ends even without the folder', async () => {
    const temp = mkdtempSync(join(tmpdir(), 'runner-'));
    const [dead, emptied] = [start({ RUNNER_TEMP: temp }), start({ RUNNER_TEMP: temp })];
    await dead.uses({ with: inputs() });
    const abandoned = github.tokens.at(-1);
    const before = readdirSync(temp);
    rmSync(join(temp, before.find((name) => name.startsWith('ssm-')) ?? '-'), { recursive: true });
    await emptied.uses({ with: inputs() });
    expect(dead.processes()).toEqual([]);
    const left = github.tokens.at(-1);
    const job = start({ RUNNER_TEMP: temp });
    expect(told(await job.uses({ with: inputs() })).text).toBe('');
    expect([abandoned?.revoked, left?.revoked, emptied.processes()]).toEqual([false, true, []]);
    await job.finish();
    rmSync(temp, { recursive: true });
  });

  it('whose token GitHub does not take back: post warns, ends the daemon, and the job stays green', async () => {
    const job = start();
    await job.uses({ with: inputs() });
    github.faults.order({ operation: 'DELETE *', fault: 'unavailable' });
    const { posts, leftoverProcesses } = await job.finish();
    const [warning] = posts[0]?.annotations ?? [];
    expect(warning).toMatchObject({ level: 'warning' });
    expect(warning?.message).toMatch(/was not revoked, and ends by itself: .* answered 503/);
    expect([posts[0]?.outcome, leftoverProcesses, job.files()]).toEqual(['success', [], []]);
  });

  it('that fails leaves nothing, and says why', async () => {
    world.put('/ci/token', 'ghp_0123456789abcdefghij');
    world.put('/ci/hub', app.stored({ api_url: undefined }));
    const rows = [
      [
        `/ci/token as=github-app ${git.place}/acme/lib`,
        'CREDENTIAL_INVALID',
        /\/ci\/token is no JSON object/,
      ],
      [
        `/ci/hub as=github-app ${git.place}/acme/lib`,
        'CREDENTIAL_INVALID',
        /is github\.com's, and keys names it for localhost/,
      ],
      [`/ci/app as=github-app ${git.place}/acme/else`, 'PROVIDER_FAILED', /acme\/else, and .* answered 404/],
    ] as const;
    for (const [keys, code, text] of rows) {
      const job = start();
      const main = await job.uses({ with: inputs({ keys }) });
      expect([told(main).code, job.files(), job.processes(), main.env]).toEqual([code, [], [], {}]);
      expect(told(main).text).toMatch(text);
      expect(told(main).text).not.toContain('ghp_');
    }
  });

  it.each([
    ['no git', undefined, /as=github-app needs git: git is not on PATH/],
    [
      'an old git',
      'echo "git version 2.30.2"',
      /as=github-app needs git 2\.31, this is git version 2\.30\.2/,
    ],
    [
      'a git without credential-cache',
      '[ "$1" = --version ] && echo "git version 2.45.0"',
      /credential-cache does not keep the token/,
    ],
  ])('on a runner with %s is GIT_NOT_FOUND, and no token is left', async (_, script, text) => {
    const bin = mkdtempSync(join(tmpdir(), 'bin-'));
    if (script !== undefined) writeFileSync(join(bin, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const job = start({ PATH: bin });
    const main: StepResult = await job.uses({ with: inputs() });
    expect(told(main).code).toBe('GIT_NOT_FOUND');
    expect(told(main).text).toMatch(text);
    expect(
      github.tokens.every((token) => token.revoked || token.token !== newest() || asked().length === 0),
    ).toBe(true);
    expect(job.files()).toEqual([]);
    expect(existsSync(join(bin, 'git'))).toBe(script !== undefined);
    rmSync(bin, { recursive: true });
  });
});
