import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from '@jest/globals';
import { useGitHubStage } from './github-stage.ts';
import { told } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('a token of as=github-app', () => {
  const stage = useGitHubStage();

  it('on a runner whose temporary folder is too deep for a socket works, and leaves nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'deep-'));
    const [temp, shelter] = [join(folder, "it's ".repeat(20)), join(folder, 's')];
    for (const path of [temp, shelter]) mkdirSync(path, { recursive: true });
    const job = stage.job({ RUNNER_TEMP: temp, TMPDIR: shelter });
    expect(told(await job.uses({ with: stage.inputs() })).text).toBe('');
    expect((await job.run(`git ls-remote ${stage.git.url('acme/lib')} main`)).log).toContain(
      'refs/heads/main',
    );
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
      const second = stage.github.createApp();
      stage.github.install(second, { owner: 'zoo', repositories: ['lib'] });
      stage.world.put('/ci/second', second.stored());
      stage.github.faults.order({ operation: 'GET /repos/zoo/*', fault: 'hang' });
      const job = stage.job();
      const waiting = async (): Promise<void> => {
        while (!stage.asked().some((operation) => operation.includes('/zoo/'))) await sleep(5);
      };
      const keys = `${stage.inputs()['keys'] ?? ''}\n/ci/second as=github-app ${stage.git.place}/zoo/lib`;
      const main = await job.uses({ with: stage.inputs({ keys }), [when]: waiting });
      expect(main.outcome).not.toBe('success');
      const { posts, leftoverProcesses } = await job.finish();
      expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
      expect([stage.github.tokens.at(-1)?.revoked, leftoverProcesses, job.files()]).toEqual([true, [], []]);
    },
  );

  it('in a job that died is revoked by the next one on the runner, and its daemon ends even without the folder', async () => {
    const temp = mkdtempSync(join(tmpdir(), 'runner-'));
    const [dead, emptied] = [stage.job({ RUNNER_TEMP: temp }), stage.job({ RUNNER_TEMP: temp })];
    await dead.uses({ with: stage.inputs() });
    const abandoned = stage.github.tokens.at(-1);
    const before = readdirSync(temp);
    rmSync(join(temp, before.find((name) => name.startsWith('ssm-')) ?? '-'), { recursive: true });
    await emptied.uses({ with: stage.inputs() });
    expect(dead.processes()).toEqual([]);
    const left = stage.github.tokens.at(-1);
    const job = stage.job({ RUNNER_TEMP: temp });
    expect(told(await job.uses({ with: stage.inputs() })).text).toBe('');
    expect([abandoned?.revoked, left?.revoked, emptied.processes()]).toEqual([false, true, []]);
    await job.finish();
    rmSync(temp, { recursive: true });
  });

  it('of an earlier use stays, in a step with its own RUNNER_TRACKING_ID', async () => {
    const job = stage.job();
    await job.uses({ with: stage.inputs() });
    const first = stage.github.tokens.at(-1);
    const keys = `/ci/app as=github-app ${stage.git.place}/acme/Tools`;
    await job.uses({ env: { RUNNER_TRACKING_ID: '0' }, with: stage.inputs({ keys }) });
    expect(first?.revoked).toBe(false);
    const { posts } = await job.finish();
    expect(posts.map(({ annotations }) => annotations)).toEqual([[], []]);
  });

  it('that git could not keep is revoked, and post does not say otherwise', async () => {
    const bin = mkdtempSync(join(tmpdir(), 'bin-'));
    const script = '#!/bin/sh\n[ "$1" = --version ] && echo "git version 2.45.0"\n';
    writeFileSync(join(bin, 'git'), script, { mode: 0o755 });
    const job = stage.job({ PATH: bin });
    await job.uses({ with: stage.inputs() });
    expect(stage.github.tokens.at(-1)?.revoked).toBe(true);
    const { posts } = await job.finish();
    expect(posts.map(({ annotations }) => annotations)).toEqual([[]]);
    rmSync(bin, { recursive: true });
  });

  it('whose token GitHub does not take back: post warns, ends the daemon, and the job stays green', async () => {
    const job = stage.job();
    await job.uses({ with: stage.inputs() });
    stage.github.faults.order({ operation: 'DELETE *', fault: 'unavailable' });
    const { posts, leftoverProcesses } = await job.finish();
    const [warning] = posts[0]?.annotations ?? [];
    expect(warning).toMatchObject({ level: 'warning' });
    expect(warning?.message).toMatch(/was not revoked, and expires by itself: .* answered 503/);
    expect([posts[0]?.outcome, leftoverProcesses, job.files()]).toEqual(['success', [], []]);
  });

  it('that fails leaves nothing, and says why', async () => {
    stage.world.put('/ci/token', 'ghp_0123456789abcdefghij');
    stage.world.put('/ci/hub', stage.app.stored({ api_url: undefined }));
    const rows = [
      [
        `/ci/token as=github-app ${stage.git.place}/acme/lib`,
        'CREDENTIAL_INVALID',
        /\/ci\/token is not a JSON object/,
      ],
      [
        `/ci/hub as=github-app ${stage.git.place}/acme/lib`,
        'CREDENTIAL_INVALID',
        /is github\.com's, and keys names it for localhost/,
      ],
      [
        `/ci/app as=github-app ${stage.git.place}/acme/else`,
        'PROVIDER_FAILED',
        /acme\/else, and .* answered 404/,
      ],
    ] as const;
    for (const [keys, code, text] of rows) {
      const job = stage.job();
      const main = await job.uses({ with: stage.inputs({ keys }) });
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
    const job = stage.job({ PATH: bin });
    const main = await job.uses({ with: stage.inputs() });
    expect(told(main).code).toBe('GIT_NOT_FOUND');
    expect(told(main).text).toMatch(text);
    const given = stage.asked().filter((operation) => operation.startsWith('POST'));
    expect(stage.asked().filter((operation) => operation.startsWith('DELETE')).length).toBe(given.length);
    expect(job.files()).toEqual([]);
    rmSync(bin, { recursive: true });
  });
});
