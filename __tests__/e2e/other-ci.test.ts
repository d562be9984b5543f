import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { parse } from 'yaml';
import type { CiJob, CiService, PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, ROLE_ARN } from '../support/aws/world.ts';
import { describeInTurn, it as itInSample, itInTurn as it } from '../support/parts.ts';
import { openEc2Host, type Ec2Host } from './ec2-host.ts';
import { actionPath, repository, useStage } from './stage.ts';

const guide = readFileSync(join(actionPath, 'docs/other-ci.md'), 'utf8');
const sections = new Map(
  guide.split(/^## /m).map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
);
const blockOf = (title: string, language: string): string =>
  new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(sections.get(title) ?? '')?.[1] ?? '';

interface Script {
  readonly argv: readonly string[];
  /** What the service's own configuration sets. */
  readonly env: Readonly<Record<string, string>>;
}

type Variables = Readonly<Record<string, string>>;

/** A service's section of the guide, what the service sets for a job, and how it runs the lines. */
interface Row {
  readonly service: CiService;
  readonly title: string;
  readonly session: RegExp;
  readonly script: () => Script;
  readonly variables: (token: string, host: Ec2Host) => Variables;
}

interface GitLabJob {
  readonly id_tokens: { readonly AWS_ID_TOKEN: { readonly aud: string } };
  readonly variables: Variables;
  readonly script: readonly string[];
}

const bash = (...lines: readonly string[]): string[] => ['bash', '-eo', 'pipefail', '-c', lines.join('\n')];

const rows: readonly Row[] = [
  {
    service: 'GitLab',
    title: 'GitLab CI',
    session: /^gitlab-302$/,
    script: () => {
      const { clone } = parse(blockOf('GitLab CI', 'yaml')) as { clone: GitLabJob };
      return { argv: bash(...clone.script), env: clone.variables };
    },
    variables: (token) => ({ GITLAB_CI: 'true', CI_JOB_ID: '302', AWS_ID_TOKEN: token }),
  },
  {
    service: 'Buildkite',
    title: 'Buildkite',
    session: /^buildkite-0184990a-/,
    script: () => {
      const { steps } = parse(blockOf('Buildkite', 'yaml')) as {
        steps: [{ command: string; env: Variables }];
      };
      expect(steps[0].command).toBe('.buildkite/clone.sh');
      return { argv: ['sh', '-c', blockOf('Buildkite', 'sh')], env: steps[0].env };
    },
    variables: (token, host) => {
      writeProgram(
        join(host.folder, 'bin/buildkite-agent'),
        `[ "$*" = 'oidc request-token --audience sts.amazonaws.com' ] && cat ${host.folder}/from-buildkite`,
      );
      writeFileSync(join(host.folder, 'from-buildkite'), `${token}\n`);
      return { BUILDKITE: 'true', BUILDKITE_JOB_ID: '0184990a-477b-4fa8-9968-496074483cee' };
    },
  },
  {
    service: 'CircleCI',
    title: 'CircleCI',
    session: /^circleci-5a984496-/,
    script: () => {
      const { jobs } = parse(blockOf('CircleCI', 'yaml')) as {
        jobs: { clone: { environment: Variables; steps: [{ run: { command: string } }] } };
      };
      return { argv: bash(jobs.clone.steps[0].run.command), env: jobs.clone.environment };
    },
    variables: (token) => ({
      ...{ CIRCLECI: 'true', CIRCLE_WORKFLOW_JOB_ID: '5a984496-cf9d-44d1-9e1c-e3e4b4e4b4a0' },
      ...{ CIRCLE_OIDC_TOKEN_V2: token },
    }),
  },
  {
    service: 'Bitbucket',
    title: 'Bitbucket Pipelines',
    session: /^bitbucket-42$/,
    script: () => {
      const { pipelines } = parse(blockOf('Bitbucket Pipelines', 'yaml')) as {
        pipelines: { branches: { main: [{ step: { oidc: boolean; script: string[] } }] } };
      };
      const { step } = pipelines.branches.main[0];
      expect(step.oidc).toBe(true);
      return { argv: bash(...step.script), env: {} };
    },
    variables: (token) => ({ BITBUCKET_BUILD_NUMBER: '42', BITBUCKET_STEP_OIDC_TOKEN: token }),
  },
  {
    service: 'Jenkins',
    title: 'Jenkins',
    session: /./,
    script: () => {
      const groovy = blockOf('Jenkins', 'groovy');
      const env = [...groovy.matchAll(/^ +([A-Z_]+) = '(.*)'$/gm)].map(([, name = '', value = '']) => [
        name,
        value,
      ]);
      const [, command = ''] = /\bsh '(.*)'$/m.exec(groovy) ?? [];
      expect(groovy).toContain("AWS_WEB_IDENTITY_TOKEN_FILE = credentials('aws-token')");
      return { argv: ['sh', '-xe', '-c', command], env: Object.fromEntries(env) as Variables };
    },
    variables: (token, host) => {
      const file = join(host.folder, 'secretFiles-token');
      writeFileSync(file, token, { mode: 0o600 });
      return { JENKINS_URL: 'https://jenkins.example.com/', AWS_WEB_IDENTITY_TOKEN_FILE: file };
    },
  },
];

function writeProgram(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

describe('the guide to other CI services', () => {
  itInSample(
    'has a section for each service, with a policy, a snippet, and links to what documents it',
    () => {
      for (const { title } of rows) {
        expect(blockOf(title, 'json')).not.toBe('');
        expect(sections.get(title)).toMatch(/^Documented by .*\]\(https:\/\/.*\).*$/m);
      }
    },
  );

  itInSample('speaks of codes that there are', () => {
    const errors = readFileSync(join(actionPath, 'docs/errors.md'), 'utf8');
    const codes = [...(sections.get('When it fails') ?? '').matchAll(/^\| `([A-Z_]+)`/gm)];
    expect(codes.length).toBeGreaterThan(3);
    for (const [, code = ''] of codes) expect(errors).toContain(`\n## ${code}\n`);
  });
});

function describeJob(row: Row): void {
  const stage = useStage();
  let host: Ec2Host;
  let audience: string;

  beforeEach(async () => {
    host = await openEc2Host();
    host.world.put('/ci/deploy-key', stage.key.privateKey);
    mkdirSync(join(host.folder, 'bin'));
    writeProgram(
      join(host.folder, 'bin/ssm-ssh-agent'),
      `exec ${join(actionPath, 'helper/ssm-ssh-agent')} "$@"`,
    );
    const from = stage.host.url(repository).replace(`${repository}.git`, '');
    const settings = `[url "${from}"]\n\tinsteadOf = git@github.com:\n`;
    writeFileSync(host.env['GIT_CONFIG_GLOBAL'] ?? '', settings);
    writeFileSync(join(host.folder, 'known_hosts'), stage.host.knownHosts);
    audience = trust();
  });
  afterEach(async () => {
    await host.close();
  });

  /** The role and its issuer, as the section has them. Answers the audience. */
  function trust(): string {
    const trustPolicy = JSON.parse(blockOf(row.title, 'json')) as PolicyDocument & {
      Statement: [{ Principal: { Federated: string }; Condition: { StringEquals: Record<string, string> } }];
    };
    const [{ Principal, Condition }] = trustPolicy.Statement;
    const issuer = Principal.Federated.replace(/^.*?oidc-provider\//, '');
    const aud = Condition.StringEquals[`${issuer}:aud`] ?? '';
    const { iam } = host.world.aws;
    iam.createOidcProvider({ account: ACCOUNT, url: `https://${issuer}`, clientIds: [aud] });
    const policies = [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`)];
    iam.createRole({ arn: ROLE_ARN, trustPolicy, policies });
    return aud;
  }

  interface Twist {
    readonly aud?: string;
    /** A line in front of exec. */
    readonly before?: string;
  }
  const run = async (job: CiJob, { aud = audience, before }: Twist = {}): ReturnType<Ec2Host['agent']> => {
    const token = await host.world.aws.oidc.issueCiToken(row.service, aud, job);
    const { argv, env } = row.script();
    const trusted = `--known-hosts ${join(host.folder, 'known_hosts')}`;
    const trusting = argv.map((text) =>
      text
        .replace(' -- git', ` ${trusted} -- git`)
        .replace(/^ssm-ssh-agent exec/m, (exec) => (before === undefined ? exec : `${before}\n${exec}`)),
    );
    const path = `${join(host.folder, 'bin')}:${host.env['PATH'] ?? ''}`;
    const ended = await host.start(trusting, { env: { ...env, ...row.variables(token, host), PATH: path } })
      .ended;
    expect(`${ended.stdout}${ended.stderr}`).not.toContain(token);
    return ended;
  };
  const assumed = (): object | undefined =>
    host.world.aws.calls.find(({ operation }) => operation === 'sts:AssumeRoleWithWebIdentity');

  it('clones with the role of the job, and leaves no token behind', async () => {
    const { exitCode, stderr } = await run({});
    expect([stderr.replace(/^\+ .*\n/gm, '').replace(/^Cloning .*\n/m, ''), exitCode]).toEqual(['', 0]);
    expect(existsSync(join(host.folder, 'lib/README.md'))).toBe(true);
    expect(assumed()).toMatchObject({
      parameters: { RoleArn: ROLE_ARN, RoleSessionName: expect.stringMatching(row.session) as unknown },
    });
    expect(host.world.aws.calls.at(-1)).toMatchObject({ operation: 'ssm:GetParameter', roleArn: ROLE_ARN });
    expect([readdirSync(host.temp), host.leftovers()]).toEqual([[], []]);
  });

  it.each([
    ['another project', { project: 'other' }],
    ...(row.service === 'Bitbucket' ? [] : ([['another branch', { branch: 'topic' }]] as const)),
  ] as const)('is refused for %s, and has no other way to the key', async (...[, job]) => {
    const { exitCode, stderr } = await run(job);
    expect([exitCode, existsSync(join(host.folder, 'lib'))]).toEqual([1, false]);
    expect(stderr).toMatch(/^ssm-ssh-agent: ASSUME_ROLE_DENIED: .*\nhint: .*\n$/m);
    expect(host.world.aws.calls.filter(({ operation }) => operation.startsWith('ssm:'))).toEqual([]);
    expect([readdirSync(host.temp), host.leftovers()]).toEqual([[], []]);
  });

  it('is refused with a token for another audience', async () => {
    const { exitCode, stderr } = await run({}, { aud: 'https://example.com' });
    expect([exitCode, existsSync(join(host.folder, 'lib'))]).toEqual([1, false]);
    expect(stderr).toMatch(/^ssm-ssh-agent: ASSUME_ROLE_DENIED: .*audience\nhint: .*\n$/m);
  });

  it('is refused with a token that has expired, and told to get a new one', async () => {
    const { exitCode, stderr } = await run({ tokenAge: 2 * 3600 });
    expect([exitCode, existsSync(join(host.folder, 'lib'))]).toEqual([1, false]);
    expect(stderr).toMatch(/^ssm-ssh-agent: CREDENTIALS_EXPIRED: .*\nhint: get a new token into .*\n$/m);
  });

  it("prints the token's claims by the guide's line, and not its signature", async () => {
    const [, line = ''] = /```sh\n(node .*)\n```/.exec(sections.get('When it fails') ?? '') ?? [];
    const { exitCode, stdout } = await run({}, { before: line });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`aud: ${row.service === 'Jenkins' ? `[ '${audience}' ]` : `'${audience}'`}`);
    expect(stdout).toMatch(/^ {2}sub: '.*app.*'|^ {2}sub: '\{1d397906-/m);
  });
}

for (const row of rows)
  describeInTurn(describe)(`a job of ${row.service}, by the guide`, () => {
    describeJob(row);
  });
