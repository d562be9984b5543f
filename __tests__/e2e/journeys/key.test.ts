/** The whole life of a key: templates, keygen, the git host, doctor, a job, a host, a rotation, and the end of the old key. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Finding } from '../../../helper/doctor/finding.ts';
import type { Statement } from '../../support/aws/iam/policy-document.ts';
import { startLocalAws, type LocalAws, type PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, REGION } from '../../support/aws/world.ts';
import { makeStack, roleOf, type Stack } from '../../support/cloudformation.ts';
import { Ec2Host, INSTANCE_ROLE, project, type Ran } from '../../support/ec2-host.ts';
import { startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { startGitHubApi, type GitHubApi } from '../../support/github/github-api.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { createJob, type Job } from '../../support/runner/job.ts';
import { fingerprintOf } from '../../support/ssh-keys.ts';
import { told } from '../stage.ts';

const place = { account: ACCOUNT, region: REGION };
const name = '/ci/deploy-key';
const repository = 'acme/lib';
/** As docs/rotate.md names it. */
const tokenName = '/rotate/github-token';
const agent = join(project, 'helper/ssm-ssh-agent');
const CI_ROLE = `arn:aws:iam::${ACCOUNT}:role/of-the-template`;

/** A command that runs again and again until its end. */
interface Work {
  readonly end: () => Promise<readonly Ran[]>;
}

/** A step's sentence is a part of its failure. */
const says = (sentence: string, actual: unknown, expected: unknown): void => {
  expect({ [sentence]: actual }).toEqual({ [sentence]: expected });
};

/** The policy of a guide, as it is written there. */
function policyOf(guide: string): PolicyDocument {
  const [, json = ''] =
    /```json\n(\{\n {2}"Version".*?)```/s.exec(readFileSync(join(project, guide), 'utf8')) ?? [];
  return JSON.parse(json) as PolicyDocument;
}

/** What the template's key policy leaves of these permissions: the tests' own KMS does not evaluate key policies. */
function useOfKey({ resources }: Stack, keyArn: string, actions: readonly string[]): PolicyDocument {
  const { KeyPolicy } = resources['Key']?.properties as { KeyPolicy: { Statement: readonly Statement[] } };
  const statement = KeyPolicy.Statement.find(({ Sid }) => Sid === 'ParametersBelowThePath');
  expect(statement?.Action).toEqual(expect.arrayContaining([...actions]));
  const Condition = statement?.Condition ?? {};
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: keyArn, Condition }],
  };
}

describeOnHost("a key's life", () => {
  let aws: LocalAws;
  let git: GitHost;
  let github: GitHubApi;
  /** `host` has the default lifetime of keys. `busy` reads its key again all the time. */
  let host: Ec2Host;
  let busy: Ec2Host;
  let works: Work[];

  beforeEach(async () => {
    works = [];
    [aws, git] = await Promise.all([startLocalAws(), startGitHost()]);
    github = await startGitHubApi({ deployKeys: { git } });
    await git.createRepository(repository);
    [host, busy] = [new Ec2Host({ aws }, [git]), new Ec2Host({ aws }, [git])];
    for (const variable of ['GIT_SSH_COMMAND', 'SSM_SSH_KNOWN_HOSTS'])
      for (const { env } of [host, busy]) Reflect.deleteProperty(env, variable);
  });
  afterEach(async () => {
    await Promise.all(works.map(({ end }) => end()));
    for (const one of [host, busy]) one.dispose();
    await Promise.all([aws.stop(), git.stop(), github.stop()]);
  });

  /** The command that keygen prints for GitHub, which is not installed here: sends its fields to the API. */
  const runGh = async (command: string, token: string): Promise<number> => {
    const fields = [...command.matchAll(/ -[fF] (\w+)=(?:'([^']*)'|(\S+))/g)];
    const body = new Map(fields.map(([, field, quoted, word]) => [field, quoted ?? word]));
    const { status } = await fetch(`${github.url}/repos/${repository}/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...Object.fromEntries(body), read_only: body.get('read_only') === 'true' }),
    });
    return status;
  };

  /** A version of the key, by its number, in a file for ssh. */
  const fileOf = (number: number): string => {
    const found = aws.parameters.find(place, name);
    const version = found?.versions.find((one) => one.version === number);
    if (!found || !version) throw new Error(`there is no version ${number}`);
    const file = join(host.home, `version-${number}`);
    writeFileSync(file, aws.parameters.reveal(version, found.arn), { mode: 0o600 });
    return file;
  };
  /** Plain ssh with one private key: `open`, or what the git host said. */
  const byPlainSsh = async (number: number): Promise<string> => {
    const options = `-o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o UserKnownHostsFile=known`;
    const { code, stderr } = await host.run(`git ls-remote ${git.url(repository)}`, {
      GIT_SSH_COMMAND: `ssh -F none -i ${fileOf(number)} ${options}`,
    });
    return code === 0 ? 'open' : stderr;
  };

  it('goes from a template to the refusal of the old key, and git works all the time', async () => {
    // The templates.
    const keyArn = aws.kms.createKey({ ...place, alias: 'alias/ci-keys' });
    const owner = { Owner: 'acme', OwnerId: '1234', Repository: 'app', RepositoryId: '5678' };
    const ci = makeStack('ci-role', owner, { 'Key.Arn': keyArn });
    const provider = ci.resources['Provider']?.properties as { Url: string; ClientIdList: string[] };
    aws.iam.createOidcProvider({ account: ACCOUNT, url: provider.Url, clientIds: provider.ClientIdList });
    aws.iam.createRole({ arn: CI_ROLE, ...roleOf(ci) });
    const profile = makeStack('instance-profile', { KeyArn: String(ci.outputs['KeyArn']) });
    aws.iam.createRole({ arn: INSTANCE_ROLE, ...roleOf(profile) });
    aws.metadata.set({ ...place, roleArn: INSTANCE_ROLE });
    const token = github.createToken({ repositories: [repository], administration: 'write' });
    aws.parameters.put({ ...place, name: tokenName, value: token });

    /** Two people with access keys. Each has the policy of a guide, and what the guide says about a KMS key. */
    const person = (user: string, policies: readonly PolicyDocument[]): Record<string, string> => {
      const userArn = `arn:aws:iam::${ACCOUNT}:user/${user}`;
      const credentials = aws.iam.createAccessKey({ userArn, policies });
      return { ...aws.environment({ credentials }), AWS_REGION: REGION };
    };
    const maker = person('maker', [
      policyOf('docs/make-and-store-keys.md'),
      useOfKey(ci, keyArn, ['kms:Encrypt']),
    ]);
    const rotator = person('rotator', [
      policyOf('docs/rotate.md'),
      useOfKey(ci, keyArn, ['kms:Decrypt', 'kms:Encrypt']),
    ]);
    const run = async (line: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> => {
      const ran = await host.run(line, env);
      says(line, [ran.code === 0 ? '' : ran.stderr, ran.code], ['', 0]);
      return ran;
    };
    const versions = () => aws.parameters.find(place, name)?.versions ?? [];

    const made = await run(`${agent} keygen --kms-key-id ${String(ci.outputs['KeyAlias'])} ${name}`, maker);
    says('keygen stores the key under the KMS key of the template', versions(), [
      expect.objectContaining({ version: 1, keyArn }),
    ]);
    const oldFingerprint = fingerprintOf(made.stdout);

    // The hosts, before the key is registered.
    const setup = `${agent} setup --global --key ${name} --known-hosts known`;
    for (const one of [host, busy]) one.configure([]);
    await run(setup);
    says('setup succeeds on the busy host', (await busy.run(`${setup} --key-lifetime 4s`)).code, 0);
    const url = git.url(repository);
    const early = await host.run(`git ls-remote ${url}`);
    says('the git host refuses a key that is not registered', early.code, 128);

    const [gh = ''] = /gh api repos\/.*/.exec(made.stderr) ?? [];
    says('the git host takes the public key that keygen prints', await runGh(gh, token), 201);
    says('it is read-only, as keygen advises', github.keys.of(repository), [
      expect.objectContaining({ title: name, readOnly: true, key: made.stdout.split(' ', 2).join(' ') }),
    ]);

    const examine = async (): Promise<unknown[]> => {
      const { stdout, code } = await host.run(`${agent} doctor ${name} --url ${url} --json`);
      const findings = JSON.parse(stdout) as Finding[];
      const found = findings.find(({ check }) => check === `key ${name}`);
      return [code, findings.filter(({ status }) => status === 'fail' || status === 'warn'), found?.detail];
    };
    says('doctor finds nothing to fix on the host', await examine(), [
      0,
      [],
      `ssh-ed25519 ${oldFingerprint}`,
    ]);

    const inputs = { 'aws-region': REGION, 'role-to-assume': CI_ROLE, 'known-hosts': git.knownHosts };
    const inJob = async <T>(steps: (job: Job) => Promise<T>): Promise<T> => {
      const env = { ...aws.environment(), ...aws.actionsEnvironment() };
      const job = createJob({ actionPath: project, env });
      try {
        const result = await steps(job);
        says('a job leaves no process', (await job.finish()).leftoverProcesses, []);
        return result;
      } finally {
        job.dispose();
      }
    };
    const clones = (): Promise<unknown[]> =>
      inJob(async (job) => {
        const { outputs, ...main } = await job.uses({ with: { ...inputs, keys: name } });
        const { outcome } = await job.run(`git clone --quiet ${url} lib && git -C lib rev-parse HEAD`);
        return [told({ outputs, ...main }).text, outputs['fingerprints'], outcome];
      });
    says('a job clones with the key', await clones(), ['', JSON.stringify([oldFingerprint]), 'success']);
    await run(`git clone --quiet ${url} first`);

    // The rotation, while both hosts use git all the time.
    github.keys.delay = 1000;
    const work = (one: Ec2Host, line: string): Work => {
      const state = { isOver: false };
      const working = (async () => {
        const all: Ran[] = [];
        while (!state.isOver) all.push(await one.run(line));
        return all;
      })();
      const end = (): Promise<readonly Ran[]> => {
        state.isOver = true;
        return working;
      };
      works.push({ end });
      return { end };
    };
    const reading = work(host, `git ls-remote ${url}`);
    const cloning = work(busy, `git clone --quiet ${url} again; rm -rf again`);
    const rotate = (...more: string[]): string => {
      const api = ['--github-repo', repository, '--api-url', github.url, '--token', tokenName];
      return [agent, 'rotate', name, ...api, '--test', url, '--known-hosts', 'known', ...more].join(' ');
    };
    await run(rotate(), rotator);
    const reads = await reading.end();
    // Nobody may log in with the old key at the moment of its removal. The host has it in its agent, and does nothing now.
    const before = (await git.log()).length;
    const newFingerprint = fingerprintOf(github.keys.of(repository)[1]?.key ?? '');
    const served = async (): Promise<boolean> =>
      (await git.log()).slice(before).some(({ accepted }) => accepted === newFingerprint);
    while (!(await served())) await sleep(100);
    says(
      'between the two commands the git host opens to the old key and to the new one',
      [await byPlainSsh(1), await byPlainSsh(2), github.keys.of(repository).length],
      ['open', 'open', 2],
    );
    const removing = (await git.log()).length;
    const finished = await run(rotate('--finish'), rotator);
    says(
      '--finish names the key that it removed',
      finished.stderr,
      expect.stringContaining(`removed "${name}"`),
    );
    await run(`git clone --quiet ${url} second`);
    const copies = await cloning.end();
    const refused = (await git.log())
      .slice(removing)
      .filter(({ verdict }) => verdict === 'permission-denied');
    says(
      'the host offers the old key of its agent, is refused, and takes the new one by itself',
      [...new Set(refused.flatMap(({ offered }) => offered))],
      [oldFingerprint],
    );
    says(
      'git did not fail once, in whatever step of the rotation',
      [...reads, ...copies].filter(({ code }) => code !== 0),
      [],
    );
    says('git worked meanwhile', [reads.length > 3, copies.length > 4], [true, true]);

    // Afterwards.
    says(
      'the git host refuses the old key',
      await byPlainSsh(1),
      expect.stringContaining('Permission denied'),
    );
    says('the git host opens to the new key', await byPlainSsh(2), 'open');
    const [entry, ...others] = github.keys.of(repository);
    says(
      'one key is left, another one, with the access of the first',
      [
        others,
        entry?.readOnly,
        fingerprintOf(entry?.key ?? '') === newFingerprint,
        newFingerprint !== oldFingerprint,
      ],
      [[], true, true, true],
    );
    says('the new key is under the KMS key of the template, too', versions(), [
      expect.objectContaining({ version: 1, keyArn }),
      expect.objectContaining({ version: 2, keyArn }),
    ]);
    says('no second copy of it is left', aws.parameters.find(place, `${name}.next`), undefined);
    says('doctor finds nothing to fix with the new key', await examine(), [
      0,
      [],
      `ssh-ed25519 ${newFingerprint}`,
    ]);
    says('a job clones with the new key', await clones(), ['', JSON.stringify([newFingerprint]), 'success']);
    await run(`git clone --quiet ${url} last`);
    await run(`${agent} flush`);
    says('AWS refused nobody anything', denied(aws), []);

    // The other way round: what the roles may not do.
    const stolen = await inJob(
      async (job) => told(await job.uses({ with: { ...inputs, keys: tokenName } })).code,
    );
    says('a job cannot read the token of the person who rotates', stolen, 'KEY_ACCESS_DENIED');
    for (const [who, env] of [
      ['the host', {}],
      ['the maker', maker],
    ] as const) {
      const { stderr } = await host.run(`${agent} public ${tokenName}`, env);
      says(`${who} cannot read it`, stderr, expect.stringContaining('KEY_ACCESS_DENIED'));
    }
    const rotated = await host.run(rotate(), maker);
    says('who makes keys cannot rotate one', [rotated.code, denied(aws).length > 0], [1, true]);
  });
});

const denied = ({ calls }: LocalAws): string[] =>
  calls.flatMap(({ operation, errorCode }) => (/Denied/.test(errorCode ?? '') ? [operation] : []));
