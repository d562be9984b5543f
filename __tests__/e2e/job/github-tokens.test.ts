/** The token of a GitHub App, and a later step that changes what lies beside it; what stands where GitHub should be. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { createCertificates, type Certificates } from '../../support/aws/wire/certificates.ts';
import { itWithHiddenProcesses, wrapNode } from '../../support/node-wrapper.ts';
import type { Finished, Job } from '../../support/runner/job.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { useGitHubStage } from '../github-stage.ts';
import { actionPath, told } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

describe('the token of a GitHub App', () => {
  const stage = useGitHubStage();
  let certificates: Certificates;
  let elsewhere: Server;
  /** What came there. */
  let received: (string | undefined)[];
  let answer: (write: (text: string) => Promise<boolean>) => Promise<void>;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tokens-'));
    certificates = await createCertificates();
    elsewhere = createServer(certificates, ({ headers }, response) => {
      received.push(headers.authorization);
      response.on('error', () => undefined);
      const write = (text: string): Promise<boolean> =>
        new Promise((resolve) => {
          if (response.destroyed) resolve(false);
          response.once('close', () => {
            resolve(false);
          });
          response.write(text, () => {
            resolve(!response.destroyed);
          });
        });
      void answer(write).then(() => response.end());
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  });
  beforeEach(() => {
    received = [];
    answer = () => Promise.resolve();
  });
  afterAll(async () => {
    elsewhere.closeAllConnections();
    await new Promise((resolve) => elsewhere.close(resolve));
    await certificates.remove();
    rmSync(folder, { recursive: true });
  });

  const there = (): string => `https://localhost:${(elsewhere.address() as AddressInfo).port}`;
  const start = async (job: Job): Promise<void> => {
    expect(told(await job.uses({ with: stage.inputs() })).text).toBe('');
  };
  const revoked = (): boolean | undefined => stage.github.tokens.at(-1)?.revoked;
  const warnings = ({ posts }: Finished): string[] =>
    posts.flatMap(({ annotations }) => annotations.map(({ message }) => message));
  const trust = (): Record<string, string> => ({ NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' });

  it('lets doctor read its repository as git of the job does', async () => {
    const job = stage.job();
    await start(job);
    const url = `https://${stage.git.place}/acme/lib.git`;
    const file = join(job.temp, 'doctor.json');
    const program = join(actionPath, 'helper/ssm-ssh-agent');
    await job.run(`git ls-remote ${url}; ${program} doctor --json --url ${url} >${file} || true`);
    const findings = JSON.parse(readFileSync(file, 'utf8')) as Finding[];
    const found = (check: string): Finding | undefined => findings.find((one) => one.check === check);
    expect(found(`route ${url}`)).toMatchObject({
      ...{ status: 'ok', detail: 'the token of a GitHub App, from keys of the action' },
    });
    expect(found(`repository ${url}`)).toMatchObject({
      ...{ status: 'ok', detail: expect.stringMatching(/can be read/) as unknown },
    });
    await job.finish();
  });

  it('goes to no other place than it came from, whatever a later step writes beside its daemon', async () => {
    const job = stage.job();
    await start(job);
    await job.run(`sed -i 's|"apiUrl":"[^"]*"|"apiUrl":"${there()}"|' "$RUNNER_TEMP"/ssm-ssh-agent-*/tokens`);
    const finished = await job.finish({ env: trust() });
    expect([received, revoked(), warnings(finished)]).toEqual([[], true, []]);
  });

  it.each(['null', '{"apiUrl":1}'])(
    'is revoked, and all else undone, where a later step writes %s beside its daemon',
    async (line) => {
      const job = stage.job();
      await start(job);
      await job.run(`echo '${line}' >"$(echo "$RUNNER_TEMP"/ssm-ssh-agent-*/tokens)"`);
      const { posts, leftoverProcesses } = await job.finish();
      expect(posts.map(({ annotations }) => annotations)).toEqual([[]]);
      expect([revoked(), leftoverProcesses, job.files()]).toEqual([true, [], []]);
    },
  );

  it.each([
    ['has ended its daemon', 'git credential-cache --socket="$socket" exit'],
    [
      'has put another into its daemon',
      `printf '%s\\n' protocol=https host=$host username=x-access-token password=another '' | git credential-cache --socket="$socket" store`,
    ],
  ])('is not said to be revoked where a later step %s', async (_, script) => {
    const job = stage.job();
    await start(job);
    await job.run(`socket=$(echo "$RUNNER_TEMP"/ssm-ssh-agent-*/git0) host=${stage.git.place}\n${script}`);
    const finished = await job.finish();
    expect(finished.posts[0]?.log).not.toContain('is revoked');
    expect(warnings(finished)).toEqual([
      expect.stringMatching(/the token for localhost:\d+ was not found .*not revoked/),
    ]);
    expect([stage.asked().some((one) => one.startsWith('DELETE')), finished.leftoverProcesses]).toEqual([
      false,
      [],
    ]);
  });

  it('is revoked without git, which a later step may have replaced', async () => {
    const job = stage.job();
    await start(job);
    await job.run(
      `mkdir bin; printf '#!/bin/sh\\necho password=another\\n' >bin/git; chmod +x bin/git; echo "$PWD/bin" >>"$GITHUB_PATH"`,
    );
    const finished = await job.finish();
    expect([revoked(), warnings(finished)]).toEqual([true, []]);
  });

  it('of an earlier job that died is sent to its own host alone, and holds no job whose GitHub does not answer', async () => {
    const temp = mkdtempSync(join(folder, 'runner-'));
    const dead = stage.job({ RUNNER_TEMP: temp });
    await start(dead);
    await dead.run(
      `sed -i 's|"apiUrl":"[^"]*"|"apiUrl":"${there().replace('localhost', '127.0.0.2')}"|' "$RUNNER_TEMP"/ssm-ssh-agent-*/tokens`,
    );
    const job = stage.job({ RUNNER_TEMP: temp, ...trust() });
    const { annotations } = await job.uses({ with: stage.inputs() });
    expect(annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/the token for localhost:\d+ of an earlier job was not revoked.* 127\.0\.0\.2$/),
    ]);
    expect([received, dead.processes()]).toEqual([[], []]);
    stage.github.faults.order({ operation: 'DELETE *', fault: 'hang' });
    const next = stage.job({ RUNNER_TEMP: temp });
    const began = Date.now();
    const main = await next.uses({ with: stage.inputs({ 'timeout-seconds': '30' }) });
    expect([told(main).text, Date.now() - began < 29_000]).toEqual(['', true]);
    expect(job.processes()).toEqual([]);
    stage.github.faults.clear();
    await next.finish();
    expect(readdirSync(temp)).toEqual([]);
  });

  itWithHiddenProcesses(
    'is revoked and its daemon ended by a post in another namespace of processes',
    async () => {
      const nodePath = wrapNode(folder, { post: 'exec unshare --pid --fork --mount-proc "$@"' });
      const job = stage.job({}, { nodePath });
      await start(job);
      const { leftoverProcesses } = await job.finish();
      expect([revoked(), leftoverProcesses, job.files()]).toEqual([true, [], []]);
    },
  );

  it('is not asked for where what should be GitHub sends without an end', async () => {
    stage.world.put('/ci/flood', stage.app.stored({ api_url: there() }));
    let sent = 0;
    answer = async (write) => {
      const chunk = 'x'.repeat(65_536);
      while (sent < 800e6 && (await write(chunk))) sent += chunk.length;
    };
    const job = stage.job(trust());
    const keys = `/ci/flood as=github-app ${stage.git.place}/acme/lib`;
    const main = await job.uses({ with: stage.inputs({ keys, 'max-attempts': '2' }) });
    expect(told(main)).toMatchObject({ code: 'NETWORK_UNREACHABLE' });
    expect(told(main).text).toMatch(/did not answer \(an answer of more than \d+ bytes\)/);
    expect(sent).toBeLessThan(30e6);
    expect([job.processes(), job.files()]).toEqual([[], []]);
  });
});
