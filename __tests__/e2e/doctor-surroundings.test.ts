/** `doctor` behind a proxy, on a disk that starts no program, in a step of a job, and at a terminal. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { startGateway, type Gateway } from '../support/aws/wire/gateway.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { canMount, Ec2Host, launchInstance, program } from '../support/ec2-host.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import { describeWhere, describeWith } from '../support/needs.ts';
import { describeOnHost } from '../support/on-host.ts';
import { describeInTurn, itInTurn as it } from '../support/parts.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import type { Finding } from '../../helper/doctor/finding.ts';
import { quoted } from '../../src/process/quote.ts';
import { agentProgram, DoctorStage } from './doctor/stage.ts';
import { repository, useStage } from './stage.ts';

const named = (text: string, check: string): Finding | undefined =>
  (JSON.parse(text) as Finding[]).find((finding) => finding.check === check);

describeInTurn(describeOnHost)('doctor behind a proxy', () => {
  let world: ReadyWorld;
  let gateway: Gateway;
  let host: Ec2Host;

  beforeEach(async () => {
    world = await startReadyWorld({ tls: true, regions: [REGION] });
    gateway = await startGateway({ leads: world.aws.endpoint });
    launchInstance(world);
    const proxy = gateway.url.replace('//', '//me:hunter2@');
    host = new Ec2Host(world, [], { AWS_REGION: REGION, HTTPS_PROXY: proxy });
    // AWS by its own host names, which the gateway leads to the local one.
    Reflect.deleteProperty(host.env, 'AWS_ENDPOINT_URL');
  });
  afterEach(async () => {
    host.dispose();
    gateway.close();
    await world.stop();
  });

  it('says that it is the way to each service, without its password, and which service it does not reach', async () => {
    gateway.trouble.set('ssm.', 'down');
    const { stdout } = await host.run(`${agentProgram} doctor --json || true`);
    const way = `through the proxy ${new URL(gateway.url).host} (HTTPS_PROXY)`;
    expect(named(stdout, 'network sts')).toMatchObject({
      status: 'ok',
      detail: `https://sts.${REGION}.amazonaws.com answers, ${way}`,
    });
    expect(named(stdout, 'network ssm')?.status).not.toBe('ok');
    expect(named(stdout, 'network ssm')?.detail).toContain(way);
    expect(stdout).not.toContain('hunter2');
    expect(gateway.tunnels).toContain(`sts.${REGION}.amazonaws.com:443`);
  });
});

describeInTurn(describeWhere(canMount, 'a mount of our own (unshare --mount): root on Linux'))(
  'doctor on a disk that is mounted noexec',
  () => {
    let git: GitHost;
    let stage: DoctorStage;

    beforeAll(async () => {
      git = await startGitHost();
      stage = await DoctorStage.open(git, await makeSshKey());
    });
    afterAll(async () => {
      await stage.close();
      await git.stop();
    });

    it('says so, and its remedy has sh read the program', async () => {
      const folder = join(stage.host.home, 'disk');
      mkdirSync(folder);
      copyFileSync(program, join(stage.host.home, 'copy'));
      const doctor = `${agentProgram} doctor --json || true`;
      const inMount = async (script: string): Promise<string> => {
        const all = `mount -t tmpfs -o noexec tmpfs disk; cp -p copy disk/ssm-ssh; chmod 755 disk/ssm-ssh; ${script}`;
        return (await stage.host.run(`unshare --mount bash -e -c ${quoted(all)}`)).stdout;
      };
      stage.host.env['GIT_SSH_COMMAND'] = join(folder, 'ssm-ssh');
      const found = named(await inMount(doctor), 'ssh command');
      expect(found).toMatchObject({
        status: 'fail',
        detail: expect.stringMatching(/mounted with noexec/) as unknown,
      });
      const after = await inMount(`${found?.remedy ?? 'false'}; ${doctor}`);
      expect(named(after, 'ssh command')).toMatchObject({ status: 'ok' });
    });
  },
);

describeInTurn(describeOnHost)('doctor in a step of a job, behind the action', () => {
  const stage = useStage();
  let world: ReadyWorld;

  beforeAll(async () => {
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterAll(async () => {
    await world.stop();
  });

  it('uses the role and the keys of the job, and leaves the keys as they were', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({
      with: {
        ...{ keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN },
        'known-hosts': stage.host.knownHosts,
      },
    });
    expect(main.outcome).toBe('success');
    const url = stage.host.url(repository);
    const file = join(job.temp, 'doctor.json');
    const read = join(job.temp, 'read.json');
    const step = await job.run(
      `${agentProgram} doctor --json --url ${url} >${file}\n${agentProgram} doctor --json /ci/deploy-key --url ${url} >${read}\nssh-add -l`,
    );
    const text = readFileSync(file, 'utf8');
    expect(named(text, 'oidc')?.status).toBe('ok');
    expect(named(text, `route ${url}`)?.detail).toContain(stage.key.fingerprint);
    expect(named(readFileSync(read, 'utf8'), 'read /ci/deploy-key')).toMatchObject({ status: 'ok' });
    expect(named(text, `repository ${url}`)).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/HEAD is/) as unknown,
    });
    // exec has no credentials here.
    expect(named(readFileSync(read, 'utf8'), `repository ${url}`)).toMatchObject({
      status: 'skip',
      detail: expect.stringMatching(/OIDC token/) as unknown,
      remedy: `${agentProgram} doctor --url ${url}`,
    });
    expect(step.log).toContain(stage.key.fingerprint);
    expect(step.outcome).toBe('success');
    const later = await job.run(`git ls-remote ${url} HEAD`);
    expect(later.outcome).toBe('success');
    await job.finish();
  });
});

describeInTurn(describeWith('script'))('doctor at a terminal', () => {
  let git: GitHost;
  let stage: DoctorStage;

  beforeAll(async () => {
    git = await startGitHost();
    stage = await DoctorStage.open(git, await makeSshKey());
    stage.host.env['TERM'] = 'xterm';
    stage.host.env['SSH_AUTH_SOCK'] = '/nowhere/agent';
  });
  afterAll(async () => {
    await stage.close();
    await git.stop();
  });

  const atTerminal = async (command: string): Promise<string> =>
    (await stage.host.run(`script -qec ${quoted(command)} /dev/null </dev/null`)).stdout.replaceAll(
      '\u001b',
      '<ESC>',
    );

  it('shows how many checks are done on one line, removes it, and colours the result', async () => {
    const shown = await atTerminal(`${agentProgram} doctor`);
    expect(shown).toMatch(/\rssm-ssh-agent: 1 of \d+ checks are done<ESC>\[K\r/);
    const [progress = '', result = ''] = shown.split(/(?<=\r<ESC>\[K)(?=<ESC>\[\d+m)/);
    expect(progress).not.toContain('\n');
    expect(result).toMatch(/^<ESC>\[32mok {2}<ESC>\[0m git: /);
    expect(result).toContain('<ESC>[33mwarn<ESC>[0m SSH_AUTH_SOCK: ');
    expect(result).not.toContain('checks are done');
  });

  it('has no colour with NO_COLOR, for a dumb terminal and into a file, and no progress with --quiet', async () => {
    for (const variable of ['NO_COLOR=1', 'TERM=dumb'])
      expect(await atTerminal(`${variable} ${agentProgram} doctor`)).not.toMatch(/<ESC>\[\d+m/);
    expect(await atTerminal(`${agentProgram} doctor >out; cat out`)).not.toMatch(/<ESC>\[\d+m/);
    expect(await atTerminal(`${agentProgram} doctor --quiet`)).not.toContain('checks are done');
  });
});
