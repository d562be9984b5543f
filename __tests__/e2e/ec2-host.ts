/** An EC2 host whose instance has a role that reads /ci/ parameters, to run ssm-ssh-agent on as it is in dist. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { runningProcesses } from '../support/runner/process-table.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { actionPath } from './stage.ts';

export const INSTANCE_ROLE = `arn:aws:iam::${ACCOUNT}:role/host`;
export const launcher = join(actionPath, 'helper/ssm-ssh-agent');

export const ec2 = {
  Version: '2012-10-17' as const,
  Statement: [
    {
      Effect: 'Allow' as const,
      Principal: { Service: 'ec2.amazonaws.com' },
      Action: 'sts:AssumeRole',
    },
  ],
};

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Standard output so far. */
  readonly said: () => string;
}

export interface RunOptions {
  /** undefined: the variable is not set. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  readonly cwd?: string;
  /** Whether standard input stays open, for the test to write to. */
  readonly keepsInput?: boolean;
}

export interface Ec2Host {
  readonly world: ReadyWorld;
  /** A folder of the test's own. */
  readonly folder: string;
  /** The system's temporary folder, to this host's programs. */
  readonly temp: string;
  readonly env: Readonly<Record<string, string>>;
  readonly start: (argv: readonly string[], options?: RunOptions) => Started;
  /** ssm-ssh-agent with these arguments. */
  readonly agent: (args: readonly string[], options?: RunOptions) => Promise<Ended>;
  readonly startAgent: (args: readonly string[], options?: RunOptions) => Started;
  /** Files in the temporary folder, and processes that know this host's folder. */
  readonly leftovers: () => string[];
  readonly close: () => Promise<void>;
}

/** @param more what the role may do besides reading */
export async function openEc2Host(more: readonly PolicyDocument[] = []): Promise<Ec2Host> {
  const world = await startReadyWorld();
  const policies = [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`), ...more];
  world.aws.iam.createRole({ arn: INSTANCE_ROLE, trustPolicy: ec2, policies });
  world.aws.metadata.set({ account: ACCOUNT, region: REGION, roleArn: INSTANCE_ROLE });
  const folder = mkdtempSync(join(tmpdir(), 'ec2-host-'));
  const [temp, home] = [join(folder, 'tmp'), join(folder, 'home')];
  for (const path of [temp, home]) mkdirSync(path);
  const env = {
    ...world.aws.environment({ metadata: true }),
    ...{ PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: temp, LANG: 'C.UTF-8' },
    ...{ GIT_CONFIG_SYSTEM: join(folder, 'gitconfig'), GIT_CONFIG_GLOBAL: join(home, '.gitconfig') },
  };
  const start = (argv: readonly string[], options: RunOptions = {}): Started =>
    startProgram(argv, { ...options, env: { ...env, ...options.env }, cwd: options.cwd ?? folder });
  const startAgent = (args: readonly string[], options?: RunOptions): Started =>
    start([launcher, ...args], options);
  return {
    ...{ world, folder, temp, env, start, startAgent },
    agent: (args, options) => startAgent(args, options).ended,
    leftovers: () => [
      ...readdirSync(temp),
      ...runningProcesses().flatMap(({ command }) => (command.includes(temp) ? [command] : [])),
    ],
    close: async () => {
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startProgram(
  [program = '', ...args]: readonly string[],
  { env, cwd, input = '', keepsInput = false }: RunOptions,
): Started {
  const child = spawn(program, args, { env, cwd, stdio: 'pipe' });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  if (!keepsInput) child.stdin.end(input);
  const ended = once(child, 'close').then(([exitCode, signal]) => ({
    exitCode: exitCode as number | null,
    signal: signal as NodeJS.Signals | null,
    ...{ stdout, stderr },
  }));
  return { child, ended, said: () => stdout };
}
