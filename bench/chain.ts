/** The steps that people use today for the same purpose: credentials, `aws ssm get-parameter`, an agent with the key. */
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REGION, ROLE_ARN } from '../__tests__/support/aws/world.ts';
import { createJob, type Job, type StepResult } from '../__tests__/support/runner/job.ts';
import { bundled } from './bundled.ts';
import { readTimes, stopwatch, timed, type Round, type Sample } from './measure.ts';
import type { Network } from './networks.ts';

const peers = ['configure-aws-credentials', 'ssh-agent'] as const;

export const chainSteps = [
  'configure-aws-credentials',
  'aws ssm get-parameter',
  'ssh-agent',
  'post of ssh-agent',
  'post of configure-aws-credentials',
] as const;

export interface Chain {
  /** Runs all steps with the parameter of this name. The round has the names of `chainSteps`, after the network's. */
  readonly run: (network: Network, parameter: string) => Promise<Round>;
}

/** Bundles the stand-ins of bench/peers as actions are bundled. @param cli the AWS CLI */
export async function openChain(folder: string, cli: string): Promise<Chain> {
  for (const peer of peers) {
    const target = join(folder, peer);
    mkdirSync(target);
    for (const step of ['main', 'post']) {
      const program = await bundled(`peers/${peer}/${step}`);
      cpSync(dirname(program.path), join(target, step), { recursive: true });
      program.remove();
    }
    cpSync(join(import.meta.dirname, 'peers', peer, 'action.yml'), join(target, 'action.yml'));
  }
  return { run: (network, parameter) => runChain({ folder, cli, network, parameter }) };
}

interface Running {
  readonly folder: string;
  readonly cli: string;
  readonly network: Network;
  readonly parameter: string;
}

async function runChain({ folder, cli, network, parameter }: Running): Promise<Round> {
  const watch = stopwatch(folder, process.execPath);
  const jobOf = (peer: (typeof peers)[number]): Job =>
    createJob({ actionPath: join(folder, peer), nodePath: watch.path, env: network.environment });
  const [credentials, agent] = [jobOf('configure-aws-credentials'), jobOf('ssh-agent')];
  const samples: Sample[] = [];
  const took = async (step: Promise<StepResult>): Promise<StepResult> => {
    const result = done(await step);
    samples.push(watch.read());
    return result;
  };
  const times = join(folder, 'times-of-aws');
  const command = `'${timed}' '${times}' '${cli}' ssm get-parameter --name '${parameter}' --with-decryption \
    --query Parameter.Value --output text \${AWS_ENDPOINT_URL_SSM:+--endpoint-url "$AWS_ENDPOINT_URL_SSM"} \
    \${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"}`;
  try {
    await took(credentials.uses({ with: { 'aws-region': REGION, 'role-to-assume': ROLE_ARN } }));
    const script = `{ echo 'key<<END_OF_KEY'; ${command}; echo END_OF_KEY; } >>"$GITHUB_OUTPUT"`;
    const { outputs } = done(await credentials.run(script));
    samples.push(readTimes(times));
    await took(agent.uses({ with: { 'ssh-private-key': outputs['key'] ?? '' } }));
    for (const job of [agent, credentials])
      await took(job.finish().then(({ posts: [post] }) => post as StepResult));
  } finally {
    credentials.dispose();
    agent.dispose();
  }
  return Object.fromEntries(
    chainSteps.map((step, index) => [`${network.name}: ${step}`, samples[index] as Sample]),
  );
}

/** @throws if the step failed */
export function done(result: StepResult): StepResult {
  if (result.outcome !== 'success') throw new Error(`a step failed:\n${result.raw}`);
  return result;
}
