/** A whole workflow changes from configure-aws-credentials, the AWS CLI and webfactory/ssh-agent to one step. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { parse } from 'yaml';
import { allow, ACCOUNT, REGION, ROLE_ARN, startReadyWorld, trustGitHub } from '../support/aws/world.ts';
import type { ReadyWorld } from '../support/aws/world.ts';
import { awsTakesEndpoint, itWhere } from '../support/needs.ts';
import { it as itInSample, itInTurn as it } from '../support/parts.ts';
import type { Job } from '../support/runner/job.ts';
import { actionPath, openStage, repository, told, type Stage } from './stage.ts';

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly run?: string;
}

interface Workflow {
  readonly permissions: object;
  readonly jobs: { readonly build: { readonly steps: readonly Step[] } };
}

const example = (name: string): Workflow =>
  parse(readFileSync(join(actionPath, 'examples/workflows', name), 'utf8')) as Workflow;
const [before, after] = [example('before.yml'), example('after.yml')];
const [configure, read, load, ...laterBefore] = before.jobs.build.steps;
const [use, ...laterAfter] = after.jobs.build.steps;

describe('the workflow before and after', () => {
  itInSample('differ in the steps that bring the key to git, and in nothing else', () => {
    expect([configure?.uses, read?.id, load?.uses].map((text) => text?.replace(/@.*/, ''))).toEqual([
      'aws-actions/configure-aws-credentials',
      'key',
      'webfactory/ssh-agent',
    ]);
    expect(use?.uses).toMatch(/^[^/]+\/ssm-ssh-agent@v1$/);
    const [, name] = /--name (\S+)/.exec(read?.run ?? '') ?? [];
    expect(use?.with).toEqual({ keys: name, ...configure?.with });
    expect([laterAfter, after.permissions]).toEqual([laterBefore, before.permissions]);
  });
});

describe('a workflow that changes to the action', () => {
  let stage: Stage;
  let world: ReadyWorld;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    world.put('/ci/deploy-key', stage.key.privateKey);
    // What `aws ssm get-parameter` needed is enough.
    const policies = [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`)];
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });

  /** The later steps, with the tests' git host in GitHub's place. */
  const later = async (job: Job): Promise<string> => {
    const from = stage.host.url(repository).replace(`${repository}.git`, '');
    const here = `git config --global url."${from}".insteadOf git@github.com:\n`;
    let log = '';
    for (const { run = '' } of laterAfter) log += (await job.run(`${here}${run}`)).log;
    return log;
  };
  const fingerprints = /SHA256:[\w+/]+/;

  it('clones by the same later steps, with the same role and parameter', async () => {
    const job = stage.job({ env: { ...world.jobEnvironment(), HOME: stage.job().workspace } });
    const main = await job.uses({ with: { ...use?.with, 'known-hosts': stage.host.knownHosts } });
    expect(told(main).text).toBe('');
    expect(main.log).toContain(stage.key.fingerprint);
    expect(await later(job)).toMatch(/^[0-9a-f]{7,} /m);
    const { log } = await job.run('env | grep -c "^AWS_\\(ACCESS\\|SECRET\\|SESSION\\)" || true');
    expect(log).toBe('0\n');
    const { posts } = await job.finish();
    expect(posts.map(({ exitCode }) => exitCode)).toEqual([0]);
  });

  itWhere(awsTakesEndpoint(), 'aws is missing, or older than 1.29 and 2.13: pip install awscli')(
    'had the same key from the step that read it by the AWS CLI',
    async () => {
      const credentials = world.aws.iam.createSession({ roleArn: ROLE_ARN });
      const job = stage.job({
        env: {
          ...world.aws.environment({ credentials }),
          ...{ AWS_REGION: REGION, AWS_DEFAULT_REGION: REGION },
        },
      });
      const { exitCode, log } = await job.run(
        `${read?.run ?? ''}\necho "$key" >key; chmod 600 key; ssh-keygen -lf key; rm key`,
      );
      expect([exitCode, fingerprints.exec(log)?.[0]]).toEqual([0, stage.key.fingerprint]);
    },
  );

  it('is told what to write where an input of the old step is pasted into the new one', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: { ...use?.with, ...load?.with } });
    expect(told(main)).toEqual({
      code: 'INPUT_INVALID',
      text: expect.stringContaining('keys') as unknown,
    });
  });
});
