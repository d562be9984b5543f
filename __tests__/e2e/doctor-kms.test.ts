/** `doctor` with keys in KMS and certificates: what it finds on a sound host, and each fault, one at a time. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { ACCOUNT, REGION, startReadyWorld, trustGitHub, type ReadyWorld } from '../support/aws/world.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { describeOnHost } from '../support/on-host.ts';
import { runningProcesses } from '../support/runner/process-table.ts';
import { describeInTurn, itInRest, itInTurn, it as itInSample } from '../support/parts.ts';
import type { Finding } from '../../helper/doctor/finding.ts';
import { faultsOfKms, useAuthority, useKmsKey } from './doctor/faults-of-kms.ts';
import { faultsOfKmsLogins } from './doctor/faults-of-kms-logins.ts';
import { named, proveFault } from './doctor/prove.ts';
import { agentProgram, DoctorStage } from './doctor/stage.ts';
import { kmsCalls, makeKmsKey, maySign } from './kms/kms-keys.ts';
import { repository, useStage } from './stage.ts';

const rows = [...faultsOfKms, ...faultsOfKmsLogins].map((fault) => [fault.fault, fault] as const);

describeOnHost('ssm-ssh-agent doctor with keys in KMS', () => {
  let git: GitHost;
  let key: SshKey;
  let stage: DoctorStage;

  beforeAll(async () => {
    [git, key] = await Promise.all([startGitHost(), makeSshKey()]);
    await git.createRepository('acme/lib');
  });
  afterAll(async () => {
    await git.stop();
  });
  beforeEach(async () => {
    stage = await DoctorStage.open(git, key);
  });
  afterEach(async () => {
    await stage.close();
  });

  const signatures = (): unknown[] =>
    stage.world.aws.calls.flatMap(({ operation, parameters }) =>
      operation === 'kms:Sign' ? [parameters['DryRun'] === true ? 'dry' : 'real'] : [],
    );
  const bad = (findings: readonly Finding[]): Finding[] =>
    findings.filter(({ status }) => status === 'warn' || status === 'fail');

  itInSample(
    'finds nothing to fix, signs one login, changes nothing and leaves nothing running',
    async () => {
      const arn = useKmsKey(stage);
      const before = stage.host.files();
      const findings = await stage.findings(['--url', stage.url]);
      expect(bad(findings)).toEqual([]);
      const { detail } = named(findings, 'public key kms:alias/deploy');
      expect(detail).toMatch(/^ssh-ed25519 SHA256:\S{43}, enabled in KMS as arn:\S+, named by \[ssm "127/);
      expect(detail).toContain(arn);
      expect(named(findings, 'sign with kms:alias/deploy').detail).toMatch(
        /^kms:Sign is allowed, by ssh-ed25/,
      );
      expect(named(findings, 'network kms').status).toBe('ok');
      expect(named(findings, `route ${stage.url}`).detail).toMatch(/^kms:alias\/deploy, from \[ssm "/);
      expect(named(findings, `repository ${stage.url}`).detail).toMatch(/HEAD is [0-9a-f]{40}$/);
      expect([stage.host.files(), stage.host.processes()]).toEqual([before, []]);
      expect(signatures().sort()).toEqual(['dry', 'real']);
    },
  );

  itInRest('makes no signature without --url, and asks for each algorithm of an RSA key', async () => {
    useKmsKey(stage, 'RSA_2048');
    const findings = await stage.findings();
    expect(named(findings, 'sign with kms:alias/deploy').detail).toContain('rsa-sha2-512 and rsa-sha2-256');
    expect(signatures()).toEqual(['dry', 'dry']);
  });

  itInRest('proves a login by a certificate, and tells the authority', async () => {
    useAuthority(stage);
    const before = stage.host.files();
    const findings = await stage.findings(['--url', stage.url]);
    expect(bad(findings)).toEqual([]);
    expect(named(findings, 'sign with kms:alias/ca').status).toBe('ok');
    expect(named(findings, 'public key kms:alias/ca').detail).toMatch(/as the authority of certificates$/);
    expect(named(findings, `repository ${stage.url}`).detail).toMatch(/HEAD is/);
    expect([stage.host.files(), stage.host.processes()]).toEqual([before, []]);
    expect(signatures().sort()).toEqual(['dry', 'real']);
  });

  itInRest('takes a whole line as an argument', async () => {
    useKmsKey(stage);
    stage.configure([], ['key = /ci/key']);
    const line = `kms:alias/deploy uses=1 ${stage.section}`;
    const findings = await stage.findings([line, '--url', stage.url]);
    expect(named(findings, 'sign with kms:alias/deploy').status).toBe('ok');
    expect(named(findings, `repository ${stage.url}`).status).toBe('ok');
    expect(named(findings, `route ${stage.url}`).detail).toBe('kms:alias/deploy, from the command line');
  });

  itInRest('checks the stored key of a line that logs in by a certificate', async () => {
    stage.git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey });
    useAuthority(stage, ['key = /ci/key', 'ca = kms:alias/ca', 'principals = deploy', 'uses = 3']);
    const findings = await stage.findings();
    expect(bad(findings)).toEqual([]);
    expect(named(findings, 'key /ci/key').detail).toContain(key.fingerprint);
    expect(named(findings, 'sign with kms:alias/ca').status).toBe('ok');
  });

  itInRest('uses the keys of the exec around it, and names them', async () => {
    useKmsKey(stage);
    stage.configure([], ['key = /ci/key']);
    const line = `kms:alias/deploy ${stage.section}`;
    const command = `${agentProgram} exec --quiet --known-hosts known --key '${line}' -- ${agentProgram} doctor --json --url ${stage.url}`;
    const { stdout } = await stage.host.run(command);
    const findings = JSON.parse(stdout) as Finding[];
    expect(named(findings, 'public key kms:alias/deploy').detail).toMatch(/named by key 1 of keys$/);
    expect(named(findings, `route ${stage.url}`).detail).toBe('kms:alias/deploy, from key 1 of keys');
    expect(named(findings, `repository ${stage.url}`).status).toBe('ok');
  });

  itInRest('leaves nothing running if it is ended while it logs in', async () => {
    useKmsKey(stage);
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const port = String((silent.address() as AddressInfo).port);
    const place = `127.0.0.1:${port}/acme/lib`;
    await stage.host.run(`git config --global 'ssm.${place}.key' kms:alias/deploy`);
    writeFileSync(join(stage.host.home, 'known'), git.knownHosts.replace(/^\S+/gm, `[127.0.0.1]:${port}`));
    const processes = (text: string): readonly { readonly pid: number }[] =>
      runningProcesses().filter(({ command }) => command.includes(text) && command.includes(place));
    try {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const ended = stage.host.run(`exec ${agentProgram} doctor --url 'ssh://git@${place}.git'`);
        while (processes('git ls-remote').length === 0) await sleep(50);
        for (const { pid } of processes(' doctor --url ')) process.kill(pid, signal);
        await ended;
        // The shell that ends the group waits a second itself.
        const left = (): unknown[] => [...processes(''), ...stage.host.processes()];
        for (let waited = 0; waited < 10_000 && left().length > 0; waited += 50) await sleep(50);
        expect([signal, left()]).toEqual([signal, []]);
      }
    } finally {
      silent.close();
    }
    expect(existsSync(stage.host.state)).toBe(false);
  });

  itInTurn.each(rows)('finds and helps to fix: %s', async (_, fault) => {
    await proveFault(stage, fault);
  });
});

describeInTurn(describeOnHost)('doctor in a job with a key in KMS and a certificate', () => {
  const stage = useStage();
  const role = `arn:aws:iam::${ACCOUNT}:role/signing`;
  let world: ReadyWorld;

  beforeAll(async () => {
    world = await startReadyWorld();
    world.aws.iam.createRole({ arn: role, trustPolicy: trustGitHub(), policies: [maySign] });
    const { publicKey } = makeKmsKey(world, 'deploy');
    stage.host.addDeployKey({ repository, publicKey });
    makeKmsKey(world, 'ca', 'ECC_NIST_P256');
  });
  afterAll(async () => {
    await world.stop();
  });

  itInTurn('explain names them, and doctor checks them with the role of the job', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const place = `${stage.host.address}:${String(stage.host.port)}`;
    const main = await job.uses({
      with: {
        keys: `kms:alias/deploy ${place}\nnew:ed25519 ca=kms:alias/ca principals=deploy other.example`,
        ...{ 'aws-region': REGION, 'role-to-assume': role, 'known-hosts': stage.host.knownHosts },
      },
    });
    expect(main.outcome).toBe('success');
    const url = stage.host.url(repository);
    const [found, told] = [join(job.temp, 'doctor.json'), join(job.temp, 'explain.json')];
    world.aws.forgetCalls();
    await job.run(`${agentProgram} explain --json ${url} >${told}`);
    expect(world.aws.calls).toEqual([]);
    expect(JSON.parse(readFileSync(told, 'utf8'))).toMatchObject({
      answer: expect.stringMatching(/^kms:alias\/deploy is offered for /) as unknown,
      keys: [{ reference: 'kms:alias/deploy', signing: { privateKey: 'kms', certificate: null } }],
    });
    await job.run(`${agentProgram} doctor --json --url ${url} >${found}`);
    const findings = JSON.parse(readFileSync(found, 'utf8')) as Finding[];
    for (const name of ['deploy', 'ca'])
      expect(named(findings, `sign with kms:alias/${name}`)).toMatchObject({ status: 'ok' });
    expect(named(findings, 'public key kms:alias/ca').detail).toMatch(
      /named by key 2 of keys as the authority/,
    );
    expect(named(findings, `repository ${url}`)).toMatchObject({ status: 'ok' });
    // Two dry runs, and the login by the agent of the job.
    expect(kmsCalls(world).filter((name) => name === 'kms:Sign')).toHaveLength(3);
    await job.finish();
  });
});
