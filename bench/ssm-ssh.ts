/**
 * `bench/ssm-ssh`: measures `git ls-remote` with plain ssh, with ssm-ssh (key in the agent, and not), and with the
 * usual script around the AWS CLI; and git-credential-ssm. It compares them with two bare programs that make the same
 * HTTPS request, one signing by hand and one with the AWS SDK. They take turns, so that the ratios do not depend on the
 * machine's speed. Milliseconds.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { REGION, startReadyWorld } from '../__tests__/support/aws/world.ts';
import { Ec2Host, launchInstance, project } from '../__tests__/support/ec2-host.ts';
import { startGitHost } from '../__tests__/support/git-host/git-host.ts';
import { makeSshKey } from '../__tests__/support/ssh-keys.ts';

const runs = Number(process.argv[2] ?? 15);
const atOnce = 100;

const [world, git, key] = await Promise.all([
  startReadyWorld({ tls: true }),
  startGitHost({ server: 'openssh' }),
  makeSshKey(),
]);
launchInstance(world);
world.put('/ci/key', key.privateKey);
world.put('/ci/token', 'token');
await git.createRepository('acme/lib');
git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey });
const host = new Ec2Host(world, [git], {
  SSM_SSH_KEY: '/ci/key',
  AWS_REGION: REGION,
  AWS_DEFAULT_REGION: REGION,
});
host.configure(['[ssm "git.example.com"]', 'credential = /ci/token']);

const known = `-o UserKnownHostsFile=${host.env['SSM_SSH_KNOWN_HOSTS'] ?? ''}`;
const agent = join(host.home, 'plain-agent');
const script = join(host.home, 'by-the-cli');
// Compiled to JavaScript, because Node takes time to strip types.
const bare = join(host.home, 'bare.mjs');
writeFileSync(bare, stripTypeScriptTypes(readFileSync(join(project, 'bench/bare-host.ts'), 'utf8')));
const bySdk = `import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
const command = new GetParameterCommand({ Name: process.env.SSM_SSH_KEY, WithDecryption: true });
const { Parameter } = await new SSMClient({}).send(command);
if (!Parameter.Value.includes("PRIVATE KEY")) throw new Error("not the key");`;
const listing = `git ls-remote ${git.url('acme/lib')} >/dev/null`;
const plain = `GIT_SSH_COMMAND='ssh ${known}'`;
// As `setup` configures a host: without ssh.variant, git asks every time which program this is.
const ours = `GIT_SSH_VARIANT=ssh ${listing}`;
const cli = awsCli();

interface Command {
  readonly run: string;
  /** A command that is not measured. */
  readonly before?: string;
}

const ways = {
  plain: { run: `${plain} SSH_AUTH_SOCK=${agent} ${listing}` },
  warm: { run: ours },
  cold: { before: `${join(project, 'helper/ssm-ssh-agent')} flush`, run: ours },
  asked: { run: listing },
  get: { run: `${ask('git.example.com')} | grep -q ^password=token$` },
  bare: { run: `${process.execPath} ${bare}` },
  sdk: { run: `cd ${project} && ${process.execPath} --input-type=module -e '${bySdk}'` },
  // The minimum for a warm connection: the shell that reads ssm-ssh, and one git config.
  floor: { run: "sh -c 'git config --get-regexp ^ssm || :'" },
  // The time to start any program on this machine.
  start: { run: '/bin/true; :' },
  // The shell that starts each command.
  shell: { run: ':' },
  ...(cli && {
    script: {
      before: `rm -f ${script}`,
      run: `eval "$(ssh-agent -a ${script})" >/dev/null; trap 'kill $SSH_AGENT_PID' EXIT
        ${cli} ssm get-parameter --name /ci/key --with-decryption --query Parameter.Value --output text |
          ssh-add -q -
        ${plain} ${listing}`,
    },
  }),
};
/** git-credential-ssm, which is always cold. */
function ask(place: string): string {
  return `printf 'protocol=https\\nhost=${place}\\n\\n' | ${join(project, 'helper/git-credential-ssm')} get`;
}

type Way = keyof typeof ways;

async function time(command: string, before?: string): Promise<number> {
  if (before !== undefined) await succeed(before);
  const started = performance.now();
  await succeed(command);
  return performance.now() - started;
}

async function succeed(command: string): Promise<void> {
  const { code, stderr } = await host.run(command);
  if (code !== 0) throw new Error(`${command}\n${stderr}`);
}

/** The real path, because a version manager's shim would be measured, too. */
function awsCli(): string | undefined {
  try {
    const which = 'pyenv which aws 2>/dev/null || command -v aws';
    return execFileSync('sh', ['-c', which], { encoding: 'utf8' }).trim();
  } catch {
    console.warn('not measured: the script around the AWS CLI, which is not on PATH');
    return undefined;
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

type Times = Record<Way, number>;

async function oneByOne(): Promise<Times[]> {
  const rounds: Times[] = [];
  // The first round is not counted.
  for (let i = 0; i <= runs; i++) {
    const times = {} as Times;
    for (const [name, { run, before }] of Object.entries<Command>(ways))
      times[name as Way] = await time(run, before);
    if (i > 0) rounds.push(times);
  }
  return rounds;
}

/** A hundred git commands at the same time, in milliseconds. */
async function allAtOnce(): Promise<{ plain: number; cold: number }> {
  const all = (command: string): string =>
    `for i in $(seq ${String(atOnce)}); do (${command}) & pids="$pids $!"; done; for pid in $pids; do wait $pid; done`;
  return {
    plain: await time(all(ways.plain.run)),
    cold: await time(all(ways.cold.run), ways.cold.before),
  };
}

function report(rounds: readonly Times[], crowds: readonly { plain: number; cold: number }[]): void {
  const of = (figure: (times: Times) => number): number => median(rounds.map(figure));
  const names = Object.keys(ways) as Way[];
  console.table(Object.fromEntries(names.map((name) => [name, { median: Math.round(of((t) => t[name])) }])));
  const start = of((t) => t.cold - t.warm);
  const crowd = median(crowds.map(({ plain, cold }) => (cold - start) / plain));
  const rows: [figure: string, measured: number, goal: number][] = [
    ['warm - plain, ms', of((t) => t.warm - t.plain), 10],
    ['of it: a shell, git config', of((t) => t.floor - t.shell), 10],
    ['as many starts of a program', of((t) => (t.warm - t.plain) / (t.start - t.shell)), NaN],
    ['asked - plain, ms', of((t) => t.asked - t.plain), 10],
    ['cold / script', of((t) => t.cold / t.script), 0.3],
    ['(cold - plain) / (script - plain)', of((t) => (t.cold - t.plain) / (t.script - t.plain)), 0.3],
    ['get / (cold - warm)', of((t) => t.get / (t.cold - t.warm)), 1],
    ['(cold - warm) / bare', of((t) => (t.cold - t.warm) / t.bare), 1.6],
    ['(cold - warm) / bare with the SDK', of((t) => (t.cold - t.warm) / t.sdk), 1.6],
    [`${String(atOnce)} at once: (cold - one start) / plain`, crowd, 1.5],
  ];
  const figures = rows.map(([figure, measured, goal]) => [
    figure,
    { measured: measured.toFixed(2), goal: Number.isNaN(goal) ? '' : goal },
  ]);
  console.table(Object.fromEntries(figures));
}

try {
  await succeed(`ssh-agent -a ${agent} | sed -n 's/.*PID=\\([0-9]*\\).*/\\1/p' | head -n 1 >${agent}.pid`);
  await succeed(`SSH_AUTH_SOCK=${agent} ${join(project, 'helper/ssm-ssh-agent')} add --quiet /ci/key`);
  const rounds = await oneByOne();
  const crowds = [await allAtOnce(), await allAtOnce(), await allAtOnce()];
  report(rounds, crowds);
} finally {
  host.dispose();
  await Promise.all([git.stop(), world.stop()]);
}
