import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import type { HttpsGitHost } from '../support/git-host/https-git.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { watchProcesses } from '../support/watch-processes.ts';
import { useGitHubStage } from './github-stage.ts';
import { told } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('a token of as=github-app', () => {
  const stage = useGitHubStage();
  const as = 'git -c user.name=ci -c user.email=ci@acme.test';
  const passwords = ({ log }: HttpsGitHost): (string | undefined)[] => [
    ...new Set(log.map(({ sent }) => sent)),
  ];

  it('lets git clone, push and fetch there, sends the token to no other host, and is revoked in post', async () => {
    const job = stage.job();
    const main = await job.uses({ with: stage.inputs() });
    expect(told(main).text).toBe('');
    const work = await job.run(
      `git clone --quiet ${stage.git.url('acme/lib')} lib && cd lib
       ${as} commit --quiet --allow-empty -m work && git push --quiet && git fetch --quiet
       git ls-remote ${stage.git.url('acme/lib').replace(/\.git$/, '')} main
       git ls-remote ${stage.other.url('acme/lib')} || echo refused elsewhere
       git ls-remote ${stage.git.url('acme/Tools')} || echo refused beside`,
    );
    expect(work.log).toMatch(/refs\/heads\/main\n/);
    expect(work.log).toMatch(/refused elsewhere/);
    expect(work.log).toMatch(/refused beside/);
    expect(passwords(stage.git)).toEqual([undefined, `x-access-token:${stage.newest}`]);
    expect(stage.git.log.filter(({ url, sent }) => sent && !url.startsWith('/acme/lib'))).toEqual([]);
    expect(passwords(stage.other)).toEqual([undefined]);
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
    expect(posts[0]?.log).toMatch(/the token for localhost:\d+ is revoked/);
    expect([stage.github.tokens.at(-1)?.revoked, leftoverProcesses, job.files()]).toEqual([true, [], []]);
    expect(stage.asked().at(-1)).toBe('DELETE /installation/token');
  });

  it('shows the token as one, with its end, and neither its text nor that of the key anywhere', async () => {
    const job = stage.job({}, { debug: true });
    const watch = watchProcesses(job.root);
    const main = await job.uses({ with: stage.inputs() });
    const after = await job.run('env; git config --list --show-origin');
    const processes = await watch.stop();
    expect(processes).toContain('dist/main/index.js');
    expect(main.log).toMatch(
      /\/ci\/app \(version 1\): a token for localhost:\d+\/acme\/lib, until \d\d:\d\d UTC/,
    );
    expect(main.summary).toMatch(
      /### Tokens\n[^]*\| token for HTTPS \| `localhost:\d+\/acme\/lib` \| until \d\d:\d\d UTC \|/,
    );
    const basic = Buffer.from(`x-access-token:${stage.newest}`).toString('base64');
    const secrets = [stage.newest, basic, ...stage.app.privateKey.trim().split('\n').slice(1, -1)];
    expect(main.masks).toEqual(expect.arrayContaining(secrets));
    const printed = main.raw.replace(/^::add-mask::.*$/gm, '');
    const shown = [printed, after.raw, main.summary, processes].join('\n');
    const files = job.files().filter(({ kind }) => kind === 'file');
    const texts = [
      ...files.map(({ path }) => readFileSync(path, 'latin1')),
      JSON.stringify([main.outputs, main.env, main.state]),
      shown,
    ];
    for (const secret of secrets) expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    expect(files.filter(({ mode }) => (mode & 0o077) !== 0)).toEqual([]);
  });

  it('alone needs no agent and no OpenSSH, and touches nothing of ssh', async () => {
    const bin = mkdtempSync(join(tmpdir(), 'bin-'));
    writeFileSync(
      join(bin, 'git'),
      `#!/bin/sh\nexec $(PATH=${process.env['PATH'] ?? ''} command -v git) "$@"\n`,
      { mode: 0o755 },
    );
    const job = stage.job({ PATH: bin, SSH_AUTH_SOCK: '/run/mine' });
    const main = await job.uses({ with: stage.inputs() });
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

  it('takes precedence over other helpers, which do not store the token and still serve all other URLs', async () => {
    const job = stage.job();
    writeFileSync(
      join(job.home, '.gitconfig'),
      '[credential]\n\thelper = store\n\tuseHttpPath = true\n\tusername = somebody\n',
    );
    const theirs = `https://somebody:old@${stage.git.place}/acme/app.git\n`;
    writeFileSync(join(job.home, '.git-credentials'), theirs);
    await job.uses({ with: stage.inputs() });
    const work = await job.run(`git ls-remote ${stage.git.url('acme/lib')} main; cat ~/.git-credentials`);
    expect(work.log).toContain('refs/heads/main');
    expect(work.log).toContain(theirs);
    expect(passwords(stage.git)).toEqual([undefined, `x-access-token:${stage.newest}`]);
    await job.run(`git ls-remote ${stage.git.url('acme/app')} || :`);
    expect(passwords(stage.git)).toContain('somebody:old');
  });

  it('takes precedence over the header that actions/checkout leaves in its repository', async () => {
    const job = stage.job();
    const header = Buffer.from('x-access-token:of-the-job').toString('base64');
    await job.run(
      `git init --quiet . && git config http.https://${stage.git.place}/.extraheader 'AUTHORIZATION: basic ${header}'`,
    );
    const before = await job.run(`git ls-remote ${stage.git.url('acme/lib')} main || echo not found`);
    expect(before.log).toMatch(/not found/);
    await job.uses({ with: stage.inputs() });
    (stage.git.log as unknown[]).length = 0;
    const work = await job.run(
      `git ls-remote ${stage.git.url('acme/lib')} main; git ls-remote ${stage.git.url('acme/app')} || :`,
    );
    expect(work.log).toContain('refs/heads/main');
    expect(stage.git.log.map(({ url, sent }) => [url.split('.git')[0], sent?.split(':')[1]])).toEqual([
      ['/acme/lib', undefined],
      ['/acme/lib', stage.newest],
      ['/acme/lib', stage.newest],
      ['/acme/app', 'of-the-job'],
    ]);
  });

  it('of an owner is for all that the App sees there, however the repository is written', async () => {
    const job = stage.job();
    await job.uses({ with: stage.inputs({ keys: `/ci/app as=github-app https://${stage.git.place}/acme` }) });
    const work = await job.run(
      `git ls-remote ${stage.git.url('acme/lib')} main; git ls-remote ${stage.git.url('acme/Tools')} main`,
    );
    expect(work.log.match(/refs\/heads\/main/g)?.length).toBe(2);
    expect(stage.github.tokens.at(-1)?.repositories).toEqual(['lib', 'Tools']);
  });

  it('of a repository takes precedence over that of its owner, in any order of the lines', async () => {
    const second = stage.github.createApp();
    stage.github.install(second, { owner: 'acme', repositories: ['Tools'] });
    stage.world.put('/ci/second', second.stored());
    const lines = [
      `/ci/app as=github-app ${stage.git.place}/acme/lib`,
      `/ci/second as=github-app ${stage.git.place}/acme`,
    ];
    for (const keys of [lines.toReversed(), lines]) {
      const job = stage.job();
      await job.uses({ with: stage.inputs({ keys: keys.join('\n') }) });
      const { log } = await job.run(`git ls-remote ${stage.git.url('acme/lib')} main`);
      expect(log).toContain('refs/heads/main');
    }
  });

  it('of a repository takes precedence over that of its owner from a later use, while it lasts', async () => {
    const job = stage.job();
    await job.uses({ with: stage.inputs() });
    const ofRepository = stage.newest;
    await job.uses({ with: stage.inputs({ keys: `/ci/app as=github-app ${stage.git.place}/acme` }) });
    const [lib, tools] = [stage.git.url('acme/lib'), stage.git.url('acme/Tools')];
    await job.run(`git ls-remote ${lib}; git ls-remote ${tools}`);
    const sent = stage.git.log.flatMap(({ url, sent }) => (sent ? [`${url.slice(0, 9)} ${sent}`] : []));
    expect([...new Set(sent)]).toEqual([
      `/acme/lib x-access-token:${ofRepository}`,
      `/acme/Too x-access-token:${stage.newest}`,
    ]);
    // After its hour the daemon has ended.
    const { log } = await job.run(
      `socket=$(git config --get-all credential.${lib}.helper | sed -n 's/.*--socket=\\(.*git0\\).*/\\1/p' | head -n 1)
       git credential-cache --socket="$socket" exit
       git ls-remote ${lib} main`,
    );
    expect(log).toContain('refs/heads/main');
    expect(stage.git.log.at(-1)?.sent).toBe(`x-access-token:${stage.newest}`);
  });

  it('serves every spelling of the host, any user name, and paths below the repository, as git-lfs asks for them', async () => {
    const job = stage.job();
    await job.uses({ with: stage.inputs() });
    const url = stage.git.url('acme/lib');
    const { log } = await job.run(`git ls-remote ${url.replace('localhost', 'LocalHost')} main`);
    expect(log).toContain('refs/heads/main');
    // git-lfs sends the path if this setting is true (creds/creds.go, GetCredentialHelper).
    const asked = await job.run(
      `git config --get-urlmatch credential.useHttpPath ${url}/info/lfs
       printf 'protocol=https\\nhost=%s\\nusername=git\\npath=acme/lib.git/info/lfs\\n\\n' ${stage.git.place} | git credential fill`,
    );
    expect(asked.log).toContain('true\n');
    expect(asked.log).toContain('username=x-access-token');
  });

  it('stays also if the host refuses it once', async () => {
    const job = stage.job();
    await job.uses({ with: stage.inputs() });
    const answer = `protocol=https\nhost=${stage.git.place}\npath=acme/lib\nusername=x-access-token\npassword=${stage.newest}\n`;
    const { log } = await job.run(
      `printf '${answer}\n' | git credential reject; git ls-remote ${stage.git.url('acme/lib')} main`,
    );
    expect(log).toContain('refs/heads/main');
    const { posts } = await job.finish();
    expect(posts.map(({ annotations }) => annotations)).toEqual([[]]);
    expect(stage.github.tokens.at(-1)?.revoked).toBe(true);
  });

  it('twice in one job, and beside an SSH key: both tokens serve, each post undoes its own', async () => {
    const key = await makeSshKey();
    stage.world.put('/ci/deploy-key', key.privateKey);
    const there = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'somebody' };
    const job = stage.job(there);
    await job.uses({ with: stage.inputs() });
    const first = stage.newest;
    const keys = `/ci/deploy-key github.com/acme/ssh\n/ci/app as=github-app ${stage.git.place}/acme/Tools`;
    const main = await job.uses({ with: stage.inputs({ keys }) });
    expect(told(main).text).toBe('');
    expect(main.summary).toMatch(/### SSH keys and tokens/);
    const work = await job.run(
      `ssh-add -l; git config user.name
       git ls-remote ${stage.git.url('acme/lib')} main; git ls-remote ${stage.git.url('acme/Tools')} main`,
    );
    expect(work.log).toContain(key.fingerprint);
    expect(work.log).toContain('somebody');
    expect(work.log.match(/refs\/heads\/main/g)?.length).toBe(2);
    expect(passwords(stage.git)).toEqual([
      undefined,
      `x-access-token:${first}`,
      `x-access-token:${stage.newest}`,
    ]);
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ env }) => env['GIT_CONFIG_COUNT'])).toEqual([
      main.env['GIT_CONFIG_COUNT'] && '11',
      '1',
    ]);
    expect(stage.github.tokens.slice(-2).map((token) => token.revoked)).toEqual([true, true]);
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
    expect((await job.run('git config user.name; git config --get-regexp credential || echo none')).log).toBe(
      'somebody\nnone\n',
    );
  });
});
