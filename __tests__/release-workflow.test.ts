import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly if?: string;
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const root = dirname(import.meta.dirname);
/** In two parts, so that the command which writes the owner's name leaves this one alone. */
const placeholder = ['OWNER', 'ssm-ssh-agent'].join('/');
const workflows = join(root, '.github/workflows');
const textOf = (name: string): string => readFileSync(join(workflows, name), 'utf8');
const { permissions, jobs } = parse(textOf('release.yml')) as Workflow;
const stepsOf = (job: string): readonly Step[] => jobs[job]?.steps ?? [];
const uses = (action: string, steps: readonly Step[]): Step[] =>
  steps.filter((step) => step.uses?.startsWith(`actions/${action}@`));
/** The lines of the build job's step of this name. */
const lines = (name: string): string => stepsOf('build').find((step) => step.name === name)?.run ?? '';

describe('the workflows', () => {
  it.each(readdirSync(workflows))(
    'pin each action of %s by a commit, and say which version it is',
    (name) => {
      const used = textOf(name).match(/^[ -]*uses:.*$/gm) ?? [];
      expect(used.length).toBeGreaterThan(0);
      expect(used.filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
    },
  );

  it.each(readdirSync(workflows))('leave no credentials of %s to the code that is checked out', (name) => {
    const { jobs: all } = parse(textOf(name)) as Workflow;
    const steps = Object.values(all).flatMap((job) => job.steps);
    for (const checkout of uses('checkout', steps)) {
      expect(checkout.with?.['persist-credentials']).toBe(false);
    }
  });
});

describe('the release', () => {
  it('is built and tested by a job that may write nothing', () => {
    expect(permissions).toEqual({});
    expect(jobs['build']?.permissions).toEqual({ contents: 'read' });
    expect(uses('checkout', stepsOf('build'))).toHaveLength(1);
    expect(stepsOf('build').some(({ run }) => run === 'bash .ci/run')).toBe(true);
    expect(uses('upload-artifact', stepsOf('build'))).toHaveLength(1);
  });

  it('is published by a job that has the files of the first, and none of its code', () => {
    const job = jobs['publish'];
    expect(job?.needs).toBe('build');
    expect(job?.permissions).toEqual({ contents: 'write', 'id-token': 'write', attestations: 'write' });
    const names = stepsOf('publish').flatMap((step) => step.uses?.replace(/@.*/, '') ?? []);
    expect(names).toEqual(['actions/download-artifact', 'actions/attest-build-provenance']);
    expect(stepsOf('publish').some(({ run = '' }) => /\b(npm|node|bash|git) /.test(run))).toBe(false);
  });

  it('goes to npm only where a variable of the repository says that the name is ours', () => {
    const { if: condition, needs, permissions: allowed } = jobs['npm'] as Job;
    expect([condition, needs, allowed]).toEqual([
      "vars.NPM_PUBLISH == 'true'",
      'publish',
      { 'id-token': 'write' },
    ]);
    expect(uses('checkout', stepsOf('npm'))).toEqual([]);
    const publishing = Object.entries(jobs).filter(([, job]) =>
      job.steps.some(({ run = '' }) => run.includes('npm publish')),
    );
    expect(publishing.map(([name]) => name)).toEqual(['npm']);
  });
});

describe('the lines of the release', () => {
  const env = { ...process.env, GITHUB_REPOSITORY: 'acme/ssm-ssh-agent', GITHUB_REF_NAME: 'v1.2.3' };
  const inFolder = (files: Record<string, string>, work: (folder: string) => void): void => {
    const folder = mkdtempSync(join(tmpdir(), 'release-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    work(folder);
    rmSync(folder, { recursive: true });
  };
  const bash = (cwd: string, script: string): SpawnSyncReturns<string> =>
    spawnSync('bash', ['-eo', 'pipefail', '-c', script], { cwd, env, encoding: 'utf8' });

  it('stop where a file does not name the owner, with the command that writes the name', () => {
    const files = {
      'README.md': `- uses: ${placeholder}@v1\n`,
      '.github/workflows/release.yml': textOf('release.yml'),
    };
    inFolder(files, (folder) => {
      bash(folder, 'git init -q && git add .');
      const refused = bash(folder, lines('Check that every link names the owner'));
      expect(refused.status).toBe(1);
      expect(refused.stdout).toMatch(/^README\.md:1:.*\n::error title=OWNER::.*\n$/);
      const command = /commit: (.*)$/m.exec(refused.stdout)?.[1] ?? '';
      expect(bash(folder, command).status).toBe(0);
      expect(bash(folder, lines('Check that every link names the owner')).status).toBe(0);
      expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('- uses: acme/ssm-ssh-agent@v1\n');
      expect(readFileSync(join(folder, '.github/workflows/release.yml'), 'utf8')).toBe(textOf('release.yml'));
    });
  });

  it("stop where the tag is not the package's version", () => {
    const check = lines("Check that the tag is the package's version");
    for (const [version, status] of [
      ['1.2.3', 0],
      ['1.2.4', 1],
    ] as const) {
      inFolder({ 'package.json': JSON.stringify({ version }) }, (folder) => {
        expect(bash(folder, check).status).toBe(status);
      });
    }
  });

  it('make the package, a list of its parts, and checksums that the publishing job accepts', () => {
    const own = JSON.stringify({ name: 'ssm-ssh-agent', version: '1.2.3', files: ['README.md'] });
    inFolder({ 'package.json': own, 'README.md': 'text\n' }, (folder) => {
      const made = bash(folder, lines('Make the files of the release'));
      expect([made.status, readdirSync(join(folder, 'release'))]).toEqual([
        0,
        ['SHA256SUMS', 'ssm-ssh-agent-1.2.3.cdx.json', 'ssm-ssh-agent-1.2.3.tgz'],
      ]);
      const bom = JSON.parse(
        readFileSync(join(folder, 'release/ssm-ssh-agent-1.2.3.cdx.json'), 'utf8'),
      ) as object;
      expect(bom).toMatchObject({ bomFormat: 'CycloneDX' });
      const check = stepsOf('publish').find(({ name }) => name === 'Check the files')?.run ?? '';
      expect(bash(folder, check).status).toBe(0);
      writeFileSync(join(folder, 'release/ssm-ssh-agent-1.2.3.tgz'), 'another');
      expect(bash(folder, check).status).toBe(1);
    });
  });
});
