import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { parse } from 'yaml';
import { startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { actionPath, gitSteps, openStage, repository, told, type Stage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';
import { commandsInDocuments } from '../support/commands-in-documents.ts';
import { itWith } from '../support/needs.ts';

const read = (path: string): string => readFileSync(join(actionPath, path), 'utf8');
const blocks = (language: string, document = 'README.md'): string[] =>
  [...read(document).matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(
    ([, text = '']) => text,
  );

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly run?: string;
}

const troubleshooting = commandsInDocuments
  .filter(({ document }) => document === 'docs/troubleshooting.md')
  .map(({ command }) => command);
const [listClaims = ''] = troubleshooting.filter((command) => command.startsWith('curl '));
const fetches = troubleshooting.filter((command) => command.endsWith(' git fetch'));

describe('a new user', () => {
  let stage: Stage;
  let world: ReadyWorld;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    world.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });

  it("gets a working job from the README's step, trust policy and permissions", async () => {
    const { steps } = parse(blocks('yaml')[0] ?? '') as { steps: Step[] };
    const [trust, permissions] = blocks('json').map((text) => JSON.parse(text) as PolicyDocument);
    const [use, clone] = steps;
    const inputs = use?.with ?? {};
    expect(Object.keys(inputs)).toEqual(['keys', 'aws-region', 'role-to-assume']);
    world.aws.iam.createRole({
      arn: inputs['role-to-assume'] ?? '',
      trustPolicy: trust as PolicyDocument,
      policies: [permissions as PolicyDocument],
    });
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: { ...inputs, 'known-hosts': stage.host.knownHosts } });
    expect(told(main).text).toBe('');
    expect(clone?.run).toBe(`git clone git@github.com:${repository}.git`);
    const { log } = await job.run(gitSteps(stage.host));
    expect(log).toContain('## main...origin/main\n');
    expect(fetches).toHaveLength(2);
    const { log: more, outcome } = await job.run(`git clone -q ${stage.host.url(repository)} again && cd again
      ${fetches.join('\n')}`);
    expect(outcome).toBe('success');
    // ssh shows the key that it offers, and git the ssh command that it starts.
    expect(more).toMatch(/Offering public key: .* SHA256:.*\n[^]*trace: run_command: .*\/ssm-ssh /);
  });

  itWith('jq')("sees the claims of a job's token by the step of the troubleshooting guide", async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const { log, outcome } = await job.run(listClaims);
    expect(outcome).toBe('success');
    const claims = JSON.parse(log) as Readonly<Record<string, unknown>>;
    expect(claims).toMatchObject({ aud: 'sts.amazonaws.com', sub: 'repo:acme/app:ref:refs/heads/main' });
  });

  it('reads secrets with the statement of docs/keys.md', async () => {
    const [trust] = blocks('json').map((text) => JSON.parse(text) as PolicyDocument);
    const [secrets] = blocks('json', 'docs/keys.md').map((text) => JSON.parse(text) as PolicyDocument);
    const role = 'arn:aws:iam::111122223333:role/secrets';
    const trustPolicy = trust as PolicyDocument;
    world.aws.iam.createRole({ arn: role, trustPolicy, policies: [secrets as PolicyDocument] });
    world.putSecret('ci/deploy', JSON.stringify({ private_key: stage.key.privateKey }));
    world.putSecret('ci/other', stage.key.privateKey);
    const keys = 'secretsmanager:ci/deploy:private_key\nsecretsmanager:ci/other';
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: { keys, 'aws-region': 'eu-west-1', 'role-to-assume': role } });
    expect(told(main).text).toBe('');
    expect(world.aws.calls.at(-1)?.operation).toBe('secretsmanager:BatchGetSecretValue');
  });

  it('finds the example workflow saying the same', () => {
    const example = readFileSync(join(actionPath, 'examples/workflows/clone-private-repository.yml'), 'utf8');
    const { jobs } = parse(example) as { jobs: { build: { steps: Step[] } } };
    expect(jobs.build.steps).toEqual((parse(blocks('yaml')[0] ?? '') as { steps: Step[] }).steps);
  });
});
