import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { parseCredentialLine } from '../helper/setup/plan.ts';
import { catalogue } from '../src/errors.ts';
import { readRoutes } from '../src/host/credential-routes.ts';
import { readNamedCredential } from '../src/git/named-credential.ts';
import { parseKeyLine, parseLines } from '../src/keys/key-line.ts';
import { parseReference } from '../src/keys/reference.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('docs/errors.md', () => {
  const sections = [...read('docs/errors.md').matchAll(/^## ([A-Z_]+)$/gm)].map(([, code = '']) => code);

  it('has a section for each code that the sources use', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const sources = files
      .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
      .map((file) => read(`src/${file}`));
    const text = [...sources, read('helper/ssm-ssh')].join('\n');
    const raised = Object.keys(catalogue).filter((code) => new RegExp(`['\\s]${code}[':]`).test(text));
    expect(raised.length).toBeGreaterThan(25);
    expect(raised.filter((code) => !sections.includes(code))).toEqual([]);
  });

  it('has sections for codes of the catalogue only, in its order', () => {
    const codes: string[] = Object.keys(catalogue);
    expect(sections.filter((code) => !codes.includes(code))).toEqual([]);
    expect(sections).toEqual(codes.filter((code) => sections.includes(code)));
  });
});

describe('docs/containers.md', () => {
  const text = read('docs/containers.md');
  const blocks = (language: string): string[] =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block);
  const action = parse(read('action.yml')) as { inputs: object; outputs: object };

  it('only uses inputs and outputs of the action', () => {
    interface Step {
      readonly with?: object;
    }
    const steps = blocks('yaml')
      .map((block) => parse(block) as Step[] | { jobs: { build: { steps: Step[] } } })
      .flatMap((block) => (Array.isArray(block) ? block : block.jobs.build.steps));
    const inputs = steps.flatMap((step) => Object.keys(step.with ?? {}));
    expect(inputs.length).toBe(9);
    expect(inputs.filter((name) => !(name in action.inputs))).toEqual([]);
    const outputs = [...text.matchAll(/\.outputs\.([\w-]+)/g)].map(([, name = '']) => name);
    expect(outputs.length).toBe(3);
    expect(outputs.filter((name) => !(name in action.outputs))).toEqual([]);
  });

  it("names the same packages as the action's errors", () => {
    const errors = read('helper/ssm-ssh');
    for (const name of ['openssh-client', 'openssh-clients']) {
      expect(errors).toMatch(new RegExp(`(install|add) ${name}\\b`));
      expect(text).toMatch(new RegExp(`(install|add)[^|]* ${name}\\b`));
    }
  });

  it('is linked from the README with its anchor', () => {
    expect(read('README.md')).toContain('](docs/containers.md#docker-build)');
    expect(text).toMatch(/^## `docker build`$/m);
  });
});

describe('docs/keys.md', () => {
  const inputs = [...read('docs/keys.md').matchAll(/```yaml\n(keys: .*?)```/gs)].map(
    ([, block = '']) => parse(block) as { keys: string },
  );
  const lines = inputs.flatMap(({ keys }) => keys.split('\n')).filter((line) => /^[^#]/.test(line));

  it('has lines that work on a host, too, except those of a GitHub App', () => {
    const [apps, others] = [true, false].map((isApp) =>
      lines.filter((line) => line.includes('as=github-app') === isApp),
    );
    expect([apps?.length, others?.length]).toEqual([1, 5]);
    expect(() => others?.map(parseKeyLine)).not.toThrow();
    expect(() => apps?.map(parseKeyLine)).toThrow(/only SSH keys are allowed here/);
    expect(parseLines(apps?.join('\n') ?? '').apps).toHaveLength(1);
  });
});

describe('docs/https.md', () => {
  const text = read('docs/https.md');
  const blocks = (language: string): string[] =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block);

  it('has configuration that git reads, and sections that match', () => {
    const named = blocks('ini').flatMap((block) => {
      const listing = execFileSync('git', ['config', '-f', '-', '-z', '--list'], {
        input: block,
        encoding: 'utf8',
      });
      const entries = listing.split('\0').filter(Boolean);
      const settings = entries.map((entry) => entry.split('\n') as [string, string]);
      const { routes, warnings } = readRoutes(new Map(settings.map(([name, value]) => [name, [value]])), {});
      expect(warnings).toEqual([]);
      return routes.map(({ key }) => parseReference(key.reference).text);
    });
    expect(named).toEqual([
      '/ci/github-token',
      '/ci/acme-token',
      'secretsmanager:ci/partner:token',
      '/ci/git-example',
    ]);
  });

  it('has a valid stored credential', () => {
    const [block = ''] = blocks('json');
    const stored = readNamedCredential({ text: block, resource: '/ci/token' }, Date.now() / 1000);
    expect(stored).toMatchObject({ username: 'gitlab+deploy-token-1', password: 'TOKEN' });
  });

  it('has valid setup commands', () => {
    const lines = [...text.matchAll(/--credential (?:'([^']+)'|(.+))$/gm)].map(
      ([, quoted, bare]) => quoted ?? bare ?? '',
    );
    expect(lines.map((line) => parseCredentialLine(line).reference.text)).toEqual([
      '/ci/github-token',
      '/ci/gitlab-token',
      '/ci/github-app',
    ]);
  });
});

describe('docs/ec2-hosts.md', () => {
  const text = read('docs/ec2-hosts.md');
  const readme = read('README.md');
  interface Step {
    readonly with?: object;
    readonly run?: string;
  }
  const stepsIn = (document: string): Step[][] =>
    [...document.matchAll(/```yaml\n(.*?)```/gs)]
      .map(([, block = '']) => parse(block) as { steps?: Step[] })
      .flatMap(({ steps }) => (steps ? [steps] : []));

  it('has the steps of the example workflow', () => {
    const { jobs } = parse(read('examples/workflows/deploy-to-ec2.yml')) as {
      jobs: { deploy: { steps: Step[] } };
    };
    expect(stepsIn(text)).toEqual([jobs.deploy.steps]);
  });

  it('links to every policy of the examples, and is linked', () => {
    for (const name of readdirSync(join(root, 'examples/ec2-hosts')))
      expect(text).toContain(`](../examples/ec2-hosts/${name})`);
    expect(readme).toContain('](docs/ec2-hosts.md)');
    expect(readme).toMatch(/^## Set up$/m);
    expect(text).toMatch(/^## When it fails$/m);
  });

  it('only names existing codes and inputs', () => {
    const codes = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code = '']) => code);
    const known = [...Object.keys(catalogue), ...settings];
    expect(codes.filter((code) => !known.includes(code))).toEqual([]);
    expect(codes).toEqual(expect.arrayContaining(['TARGET_AMBIGUOUS', 'TUNNEL_FAILED']));
  });

  /** Variables. */
  const settings = [
    ...['SSM_SSH_VIA', 'SSM_SSH_REGION', 'SSM_SSH_ROLE_ARN', 'AWS_REGION'],
    ...['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'],
  ];
});
