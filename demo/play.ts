/** Runs one job with the built action against a local AWS and a local git host, and records it. */
import { dirname } from 'node:path';
import { ACCOUNT, REGION, ROLE_ARN, startReadyWorld } from '../__tests__/support/aws/world.ts';
import { startGitHost } from '../__tests__/support/git-host/git-host.ts';
import { createJob, type StepResult } from '../__tests__/support/runner/job.ts';
import { makeSshKey } from '../__tests__/support/ssh-keys.ts';

export interface Play {
  readonly world: {
    readonly account: string;
    readonly region: string;
    readonly role: string;
    readonly aws: string;
    readonly repository: string;
    readonly gitHost: string;
    readonly fingerprint: string;
  };
  /** The action's `with:`. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly awsCalls: readonly AwsCall[];
  /** The connections that the git host saw. */
  readonly connections: readonly {
    readonly key: string;
    readonly command: string;
    readonly verdict: string;
  }[];
  /** The exported environment of later steps. */
  readonly exported: Readonly<Record<string, string>>;
  readonly during: Left;
  readonly left: Left;
  readonly ok: boolean;
}

export interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly log: string;
}

export interface AwsCall {
  readonly operation: string;
  readonly status: number;
  readonly detail: string;
}

export interface Left {
  readonly processes: readonly string[];
  readonly files: readonly string[];
}

const repository = 'acme/lib';
const key = '/ci/deploy-key';

const script = (url: string): string => `
echo '$ git clone ${url}'
git clone --quiet ${url} lib && cd lib
git log --oneline
echo '$ git push'
echo 'written by the job' > news.txt
git add news.txt
git -c user.name=ci -c user.email=ci@acme.test commit --quiet -m 'News from the job'
git push --quiet
echo '$ git fetch && git status --short --branch'
git fetch --quiet
git status --short --branch`;

export async function play(): Promise<Play> {
  const [{ aws, put, jobEnvironment, stop }, host, deployKey] = await Promise.all([
    startReadyWorld(),
    startGitHost(),
    makeSshKey({ comment: 'deploy key of acme/lib' }),
  ]);
  await host.createRepository(repository);
  host.addDeployKey({ repository, publicKey: deployKey.publicKey, write: true });
  put(key, deployKey.privateKey);
  const job = createJob({ actionPath: dirname(import.meta.dirname), env: jobEnvironment() });
  try {
    const inputs = {
      keys: key,
      'aws-region': REGION,
      'role-to-assume': ROLE_ARN,
      'known-hosts': host.knownHosts.trim(),
    };
    const main = await timed('main', () => job.uses({ with: inputs }));
    const during = {
      processes: job.processes().map(({ command }) => command),
      files: job.files().map(({ path }) => path),
    };
    const git = await timed('the next step', () => job.run(script(host.url(repository))));
    const post = await timed('post', async () => (await job.finish()).posts[0] as StepResult);
    const left = {
      processes: job.processes().map(({ command }) => command),
      files: job.files().map(({ path }) => path),
    };
    const steps = [main.step, git.step, post.step];
    return {
      world: {
        account: ACCOUNT,
        region: REGION,
        role: ROLE_ARN,
        aws: aws.endpoint,
        repository: host.url(repository),
        gitHost: host.server === 'openssh' ? "OpenSSH's sshd" : "the ssh2 package's server",
        fingerprint: deployKey.fingerprint,
      },
      inputs,
      steps,
      awsCalls: aws.calls.map(({ operation, status = 0, parameters }) => ({
        operation,
        status,
        detail: detailOf(parameters),
      })),
      connections: (await host.log()).map(({ accepted = '', command = '', verdict }) => ({
        key: accepted,
        command,
        verdict,
      })),
      exported: main.result.env,
      during,
      left,
      ok: steps.every(({ ok }) => ok) && left.processes.length + left.files.length === 0,
    };
  } finally {
    job.dispose();
    await Promise.all([host.stop(), stop()]);
  }
}

async function timed(
  name: string,
  run: () => Promise<StepResult>,
): Promise<{ step: Step; result: StepResult }> {
  const started = performance.now();
  const result = await run();
  const milliseconds = Math.round(performance.now() - started);
  return { step: { name, ok: result.outcome === 'success', milliseconds, log: result.log.trim() }, result };
}

/** The call log has no secrets, so it can be shown. */
function detailOf(parameters: Readonly<Record<string, unknown>>): string {
  const shown = [
    'audience',
    'RoleArn',
    'RoleSessionName',
    'DurationSeconds',
    'Policy',
    'Name',
    'Names',
    'WithDecryption',
  ];
  const present = shown.filter((name) => parameters[name] !== undefined);
  return present.map((name) => `${name}=${asText(parameters[name])}`).join(' ');
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
