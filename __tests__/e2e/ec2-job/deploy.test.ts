/** Steps that deploy to an EC2 host with the action's role: nothing is installed, stored or left. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect } from '@jest/globals';
import { parse } from 'yaml';
import { ACCOUNT, REGION } from '../../support/aws/world.ts';
import type { Call } from '../../support/aws/local-aws.ts';
import type { Job, StepResult } from '../../support/runner/job.ts';
import { watchProcesses } from '../../support/watch-processes.ts';
import { told } from '../stage.ts';
import { deployInputs, example, instanceId, useEc2JobStage, type Tunnelled } from './ec2-job-stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly run?: string;
}

/** The tunnel ends a moment after ssh, and AWS notices that another moment later. */
async function expectSoon(look: () => unknown, wanted: unknown): Promise<void> {
  for (let tries = 0; tries < 200 && JSON.stringify(look()) !== JSON.stringify(wanted); tries++)
    await sleep(50);
  expect(look()).toEqual(wanted);
}

/** The AWS calls of one connection, each once. Also TerminateSession, unless the host ends the session first. */
const asked: Readonly<Record<Tunnelled, readonly string[]>> = {
  'session-manager': ['ssm:StartSession', 'ssmmessages:OpenDataChannel'],
  'instance-connect-endpoint': [
    'ec2-instance-connect:OpenTunnel',
    'ec2:DescribeInstanceConnectEndpoints',
    'ec2:DescribeInstances',
  ],
};

const via: Tunnelled = 'session-manager';

describe('a job that deploys to an EC2 host', () => {
  const stage = useEc2JobStage(via);
  beforeEach(() => {
    stage.world.aws.forgetCalls();
  });

  const start = async (
    given: Record<string, string> = {},
    env: Record<string, string> = {},
  ): Promise<Job> => {
    const job = stage.job(env);
    const main = await job.uses({ with: { ...deployInputs, ...given } });
    expect(told(main).text).toBe('');
    return job;
  };
  const calls = (operation: string): readonly Call[] =>
    stage.world.aws.calls.filter((call) => call.operation === operation);
  const policies = (): string[] =>
    calls('sts:AssumeRoleWithWebIdentity').map(({ parameters }) => parameters['Policy'] as string);
  /** Without ssh's warning about a new host. */
  const said = ({ log }: StepResult): string => log.replace(/^Warning: Permanently added .*\n/gm, '');
  const remote = (): string => join(stage.folder, 'remote');
  const host = (): string => `${stage.instance.user}@${instanceId}`;
  const finish = async (job: Job): Promise<StepResult> => {
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
    await expectSoon(() => stage.open, 0);
    return posts[0] as StepResult;
  };

  it('runs commands and copies files there with ssm-ssh, scp, sftp, rsync and git, and leaves nothing', async () => {
    const job = await start();
    const work = await job.run(
      `command -v node && exit 9
       ssm-ssh ${host()} 'rm -rf ${remote()}; mkdir ${remote()}; echo "hello from $(cat)"' <<< there
       head -c 300000 /dev/urandom > file
       scp -S ssm-ssh -q file ${host()}:${remote()}/scp
       scp -S ssm-ssh -q ${host()}:${remote()}/scp back
       echo 'put file ${remote()}/sftp' | sftp -S ssm-ssh -b - ${host()} >/dev/null
       rsync -e ssm-ssh -a file ${host()}:${remote()}/rsync
       ssm-ssh ${host()} 'git init --quiet --bare ${remote()}/lib.git'
       git init --quiet lib && git -C lib -c user.name=ci -c user.email=ci@acme.test commit --quiet --allow-empty -m work
       SSM_SSH_EC2_REMOTES=1 git -C lib push --quiet ssh://${host()}${remote()}/lib.git HEAD:main
       for copy in back ${remote()}/scp ${remote()}/sftp ${remote()}/rsync; do cmp file "$copy"; done
       git -C ${remote()}/lib.git log --format=%s main`,
    );
    expect([said(work), work.outcome]).toEqual(['hello from there\nwork\n', 'success']);
    await finish(job);
  });

  it('opens a separate session when needed, limited to the host and the user, and named after the run', async () => {
    const job = await start();
    const before = stage.world.aws.calls.length;
    const run = (await job.run('echo "$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT"')).log.trim();
    await job.run(`ssm-ssh ${host()} true`);
    const made = (): readonly Call[] => stage.world.aws.calls.slice(before);
    await expectSoon(
      () =>
        made()
          .map(({ operation }) => operation)
          .filter((operation) => operation !== 'ssm:TerminateSession')
          .sort(),
      [
        ...asked[via],
        ...['ec2-instance-connect:SendSSHPublicKey', 'oidc:token', 'sts:AssumeRoleWithWebIdentity'],
      ].sort(),
    );
    expect(calls('ssm:TerminateSession').length).toBeLessThanOrEqual(1);
    const policy = policies().at(-1);
    expect(policy).toContain(`:instance/${instanceId}"`);
    expect(policy).toContain(`{"ec2:osuser":"${stage.instance.user}"}`);
    // The name in CloudTrail.
    const sessionName = `acme-app-${run}`;
    const principal = `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/${sessionName}`;
    const signed = made().filter(({ service }) => service !== 'oidc' && service !== 'sts');
    expect(new Set(signed.map((call) => call.principal))).toEqual(new Set([principal]));
    expect(calls('ec2-instance-connect:SendSSHPublicKey')).toMatchObject([
      { sessionName, parameters: { InstanceId: instanceId, InstanceOSUser: stage.instance.user } },
    ]);
    await finish(job);
  });

  it('neither stores nor shows credentials and the key', async () => {
    const job = await start();
    const watch = watchProcesses(job.root);
    const shown = await job.run(`env; ssm-ssh ${host()} 'echo up'`);
    const processes = await watch.stop();
    expect(processes).toContain('helper/ssm-ssh');
    const files = job.files().filter(({ kind }) => kind === 'file');
    const texts = files.map(({ path }) => readFileSync(path, 'latin1'));
    expect([...texts, shown.raw, processes].join('\n')).not.toMatch(
      /PRIVATE KEY-----|ASIA[A-Z0-9]{16}|IQoJb3JpZ2luX2Vj/,
    );
    // ssh creates the file of host keys.
    const open = files.filter(({ path, mode }) => (mode & 0o077) !== 0 && !path.endsWith('/ec2/known_hosts'));
    expect(open).toEqual([]);
    await finish(job);
  });

  it('connects as another user, or to another instance, only if the policy allows it', async () => {
    const other = await stage.launch({ instanceId: 'i-0fedcba9876543210' });
    const job = await start();
    const asNobody = await job.run(`ssm-ssh nobody@${instanceId} true 2>&1 || echo "exit $?"`);
    expect(asNobody.log).toMatch(
      /^ssm-ssh: INSTANCE_CONNECT_FAILED: .*nobody.*\nhint: .*"ec2:osuser":"nobody"/m,
    );
    expect(asNobody.log).toMatch(/exit 255\n$/);
    const elsewhere = await job.run(`ssm-ssh ${other.user}@${other.instanceId} true 2>&1 || echo "exit $?"`);
    expect(elsewhere.log).toMatch(/^ssm-ssh: (INSTANCE_CONNECT|SESSION)_FAILED: .*i-0fedcba9876543210/m);
    expect(elsewhere.log).toMatch(/exit 255\n$/);
    await finish(job);
  });

  it('finds a host by its tag, with a session that may only look up', async () => {
    const job = await start();
    const found = await job.run(`ssm-ssh ${stage.instance.user}@Name=web-1 echo found`);
    expect(said(found)).toBe('found\n');
    expect(policies().map((policy) => policy.includes(instanceId))).toEqual([false, false, true]);
    await finish(job);
  });

  it('works like the example workflow, with a RUNNER_TEMP that is too long for a socket', async () => {
    const text = example('workflows/deploy-to-ec2.yml', stage.instance.user);
    const { jobs } = parse(text) as { jobs: { deploy: { steps: Step[] } } };
    const [checkout, use, ...runs] = jobs.deploy.steps;
    expect([checkout?.uses, use?.with]).toEqual(['actions/checkout@v5', deployInputs]);
    const temp = join(stage.folder, 'd'.repeat(90));
    mkdirSync(temp);
    const job = stage.job({ RUNNER_TEMP: temp });
    await job.run(`mkdir -p site && echo page > site/index.html`);
    expect(told(await job.uses({ with: use?.with ?? {} })).text).toBe('');
    const [copy, reload, ...rest] = runs.map(({ run = '' }) => run);
    expect(rest).toEqual([]);
    const into = `${remote()}-site`;
    expect(told(await job.run((copy ?? '').replace(':site/', `:${into}/`))).text).toBe('');
    expect(readFileSync(join(into, 'index.html'), 'utf8')).toBe('page\n');
    const reloaded = await job.run((reload ?? '').replace(/sudo .*$/, 'echo reloaded'));
    expect(said(reloaded)).toBe('reloaded\n');
    await finish(job);
    expect(readdirSync(temp)).toEqual([]);
  });

  const background = (): string =>
    `ssm-ssh -f ${host()} 'echo up; sleep 60' > up; until [ -s up ]; do sleep 0.1; done`;

  it('has its remaining tunnel and agent ended by post', async () => {
    const job = await start();
    await job.run(background());
    expect(stage.open).toBe(1);
    await finish(job);
  });

  it('has nothing left of a step that is cancelled while it is connected', async () => {
    const job = await start();
    const connected = async (): Promise<void> => {
      while (stage.open === 0) await sleep(20);
    };
    const cancelled = await job.run(`ssm-ssh ${host()} 'sleep 60'`, {
      cancelWhen: connected,
      patience: { interrupt: 500, terminate: 500 },
    });
    expect(cancelled.outcome).toBe('cancelled');
    await finish(job);
  });

  it('has them ended by the next job if it was killed', async () => {
    const temp = join(stage.folder, 'temp');
    mkdirSync(temp);
    const dead = await start({}, { RUNNER_TEMP: temp });
    await dead.run(background());
    expect(stage.open).toBe(1);
    // The runner does the same between jobs.
    for (const name of readdirSync(temp)) rmSync(join(temp, name), { recursive: true });
    // The agent ends with its folder, some seconds later. The connection stays.
    const commands = (): string[] => dead.processes().map(({ command }) => command);
    while (commands().some((command) => command.startsWith('ssh-agent '))) await sleep(50);
    expect(commands().filter((command) => command.startsWith('ssh ')).length).toBe(1);
    const next = await start({}, { RUNNER_TEMP: temp });
    await expectSoon(() => [dead.processes(), stage.open], [[], 0]);
    await finish(next);
    expect(readdirSync(temp)).toEqual([]);
  });

  it('shows a step without the job’s variables what to pass on', async () => {
    const job = await start();
    const { log } = await job.run(
      `env -u ACTIONS_ID_TOKEN_REQUEST_URL ssm-ssh ${host()} true 2>&1 || echo "exit $?"`,
    );
    expect(log).toMatch(/^ssm-ssh: OIDC_UNAVAILABLE: .*\nhint: .*ACTIONS_ID_TOKEN_REQUEST_URL/m);
    expect(log).toMatch(/exit 255\n$/);
  });

  it(`uses the Region of the step if it sets one, otherwise ${REGION}`, async () => {
    const job = await start();
    await job.run(`SSM_SSH_REGION=eu-central-1 ssm-ssh ${host()} true || true`);
    const pushes = calls('ec2-instance-connect:SendSSHPublicKey').map(({ region }) => region);
    expect(pushes).toEqual(['eu-central-1']);
  });
});
