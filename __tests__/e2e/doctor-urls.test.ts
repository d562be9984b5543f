/** `doctor --url`: what git is asked, by which URL, what is shown of it, and what is left if it is ended early. */
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { createCertificates, type Certificates } from '../support/aws/wire/certificates.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import { startHttpsGitHost, type HttpsGitHost } from '../support/git-host/https-git.ts';
import { describeOnHost } from '../support/on-host.ts';
import { describeInTurn, itInTurn as it } from '../support/parts.ts';
import { runningProcesses } from '../support/runner/process-table.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import type { Finding } from '../../helper/doctor/finding.ts';
import { agentProgram, DoctorStage, helperProgram } from './doctor/stage.ts';

describeInTurn(describeOnHost)('doctor --url', () => {
  let git: GitHost;
  let key: SshKey;
  let stage: DoctorStage;

  beforeAll(async () => {
    [git, key] = await Promise.all([startGitHost(), makeSshKey()]);
    await git.createRepository('acme/lib');
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey, write: true });
  });
  afterAll(async () => {
    await git.stop();
  });
  beforeEach(async () => {
    stage = await DoctorStage.open(git, key);
    await stage.host.run('git init -q clone');
  });
  afterEach(async () => {
    await stage.close();
  });

  const local = (name: string, value: string): Promise<unknown> =>
    stage.host.run(`git -C clone config --add '${name}' '${value}'`);
  const named = (findings: readonly Finding[], check: string): Finding | undefined =>
    findings.find((finding) => finding.check === check);

  it('asks for the URL that git asks for, and replaces it only once', async () => {
    await local(`url.${stage.url}.insteadOf`, 'first:lib');
    // git replaces once: this rule is for what it would replace then.
    await local('url.ssh://git@nowhere.invalid/.insteadOf', stage.url.slice(0, -'acme/lib.git'.length));
    const findings = await stage.findings(['--url', 'first:lib'], 'clone');
    expect(named(findings, 'repository first:lib')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/HEAD is/) as unknown,
    });
  });

  it.each([
    ['http://git.example.test/acme/lib', 'http is not encrypted: no credential is given'],
    ['git://git.example.test/acme/lib', 'git starts no ssh for git://'],
  ])('says why no key and no credential is for %s', async (url, detail) => {
    const findings = await stage.findings(['--url', url], 'clone');
    expect(findings).toContainEqual(
      expect.objectContaining({ status: 'fail', detail, remedy: 'write https://, or an SSH URL' }),
    );
  });

  it.each(['first:lib', 'SSH'])('starts no program of the repository: %s', async (asked) => {
    const url = asked === 'SSH' ? stage.url : asked;
    await local(`url.${stage.url}.insteadOf`, 'first:lib');
    await local('url.ext::sh -c "touch started" %S.insteadOf', stage.url);
    stage.host.env['GIT_ALLOW_PROTOCOL'] = 'ext:ssh';
    await stage.findings(['--url', url], 'clone');
    expect(['clone/started', 'started'].map((name) => existsSync(join(stage.host.home, name)))).toEqual([
      false,
      false,
    ]);
  });

  it('and explain show no secret, and no control character', async () => {
    await local('url.https://me:hunter2@127.0.0.1:1/\u001b[2J\u0007.insteadOf', 'first:');
    await local('core.sshCommand', 'sshpass -p hunter2 ssh');
    await local('credential.https://127.0.0.1:1.helper', '!f() { echo password=hunter2; }; f');
    for (const command of ['doctor --url first:lib', 'explain first:lib', `explain '${stage.url}'`]) {
      for (const option of ['', ' --json']) {
        const { stdout, stderr } = await stage.host.run(
          `cd clone; ${agentProgram} ${command}${option} || true`,
        );
        expect(stdout).not.toBe('');
        expect(`${stdout}${stderr}`).not.toContain('hunter2');
        expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      }
    }
  });

  it('explain says which shell command it is, by its file and line', async () => {
    await local('credential.helper', '');
    await local('credential.https://github.com.helper', '!f() { echo password=hunter2; }; f');
    const { stdout } = await stage.host.run(
      `cd clone; ${agentProgram} explain https://github.com/acme/lib || true`,
    );
    expect(stdout).toMatch(
      /git asks .*a shell command \(credential\.https:\/\/github\.com\.helper, local, \/.*\/clone\/\.git\/config line \d+\)/,
    );
  });

  it('of no key stays, and no process, if it is ended early', async () => {
    const silent: Server = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const port = String((silent.address() as AddressInfo).port);
    const place = `127.0.0.1:${port}/acme/lib`;
    await stage.host.run(`git config --global 'ssm.${place}.key' /ci/key`);
    writeFileSync(join(stage.host.home, 'known'), git.knownHosts.replace(/^\S+/gm, `[127.0.0.1]:${port}`));
    const url = `ssh://git@${place}.git`;
    const processes = (text: string): readonly { readonly pid: number; readonly command: string }[] =>
      runningProcesses().filter(({ command }) => command.includes(text) && command.includes(place));
    try {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const ended = stage.host.run(`exec ${agentProgram} doctor --url '${url}'`);
        while (processes('git ls-remote').length === 0) await sleep(50);
        for (const { pid } of processes(' doctor --url ')) process.kill(pid, signal);
        await ended;
        await sleep(2_500);
        expect([signal, processes(''), stage.host.processes()]).toEqual([signal, [], []]);
      }
    } finally {
      silent.close();
    }
  });
});

describeInTurn(describeOnHost)('doctor --url by HTTPS', () => {
  let certificates: Certificates;
  let https: HttpsGitHost;
  let git: GitHost;
  let stage: DoctorStage;

  beforeAll(async () => {
    certificates = await createCertificates();
    [https, git] = await Promise.all([startHttpsGitHost(certificates), startGitHost()]);
    await https.createRepository('acme/lib');
  });
  afterAll(async () => {
    await Promise.all([https.stop(), git.stop()]);
    await certificates.remove();
  });
  beforeEach(async () => {
    stage = await DoctorStage.open(git, await makeSshKey());
    stage.host.env['GIT_SSL_CAINFO'] = certificates.caFile;
    stage.host.configure([
      ...[`[ssm "${https.place}/acme"]`, 'credential = /ci/token'],
      ...[`[credential "https://${https.place}"]`, `helper = ${helperProgram}`, 'useHttpPath = true'],
    ]);
  });
  afterEach(async () => {
    await stage.close();
  });

  it('reads the repository with the token of the section, or says what is wrong with it', async () => {
    https.letIn('x-access-token', 'ghp_0123456789abcdefghij');
    const url = https.url('acme/lib');
    const before = stage.host.files();
    const findings = await stage.findings(['--url', url]);
    const of = (check: string): Finding | undefined => findings.find((finding) => finding.check === check);
    expect(of(`route ${url}`)?.detail).toContain('/ci/token, from [ssm "');
    expect(of(`repository ${url}`)).toMatchObject({ status: 'ok' });
    expect(stage.host.files()).toEqual(before);
    https.letIn('x-access-token', 'another');
    const refused = await stage.findings(['--url', url]);
    expect(refused.find(({ check }) => check === `repository ${url}`)).toMatchObject({
      status: 'fail',
      remedy: expect.stringMatching(/replace the token/) as unknown,
    });
    expect(JSON.stringify([findings, refused])).not.toContain('ghp_');
  });
});
