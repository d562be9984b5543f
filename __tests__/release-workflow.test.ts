import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { linesOf, textOf, uses, workflow, type Job, type Step } from './support/workflows.ts';

/** In two parts, so that the command which writes the owner's name leaves this one alone. */
const placeholder = ['OWNER', 'ssm-ssh-agent'].join('/');
const { permissions, concurrency, jobs } = workflow('release.yml');
const stepsOf = (job: string): readonly Step[] => jobs[job]?.steps ?? [];
const lines = (name: string, job = 'build'): string => linesOf('release.yml', name, job);

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

  it('waits for the reviewers of an environment, and for another release that is under way', () => {
    expect([jobs['publish']?.environment, jobs['npm']?.environment]).toEqual(['release', 'release']);
    expect(concurrency).toBe('release-${{ github.ref_name }}');
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
  const bash = (cwd: string, script: string, more: Record<string, string> = {}): SpawnSyncReturns<string> =>
    spawnSync('bash', ['-eo', 'pipefail', '-c', script], { cwd, env: { ...env, ...more }, encoding: 'utf8' });

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

  it('stop where main does not have the commit of the tag, and else name the commit', () => {
    const check = lines('Check that main has the commit');
    inFolder({ 'README.md': 'text\n' }, (folder) => {
      const git = 'git -c user.name=a -c user.email=a@example.com';
      const made = `git init -q -b main && git add . && ${git} commit -qm one && git update-ref refs/remotes/origin/main HEAD`;
      expect(bash(folder, made).status).toBe(0);
      const commit = bash(folder, 'git rev-parse HEAD').stdout.trim();
      // As GitHub's checkout of an annotated tag.
      bash(folder, `${git} tag -a -m note v1.2.3 && git checkout -q v1.2.3`);
      expect(bash(folder, check, { GITHUB_OUTPUT: join(folder, 'output') }).status).toBe(0);
      expect(readFileSync(join(folder, 'output'), 'utf8')).toBe(`commit=${commit}\n`);
      bash(folder, `${git} commit -q --allow-empty -m two`);
      const refused = bash(folder, check, { GITHUB_OUTPUT: join(folder, 'output') });
      expect([refused.status, refused.stdout]).toEqual([
        1,
        expect.stringContaining('::error title=NOT ON MAIN::'),
      ]);
    });
  });

  /** A `gh` that answers from the folder's files and writes its arguments down. */
  const gh = `#!/bin/sh
printf '%s\\n' "$*" >>calls
case $* in
  'release view '*) test -e released ;;
  *matching-refs*) cat "tags-\${3##*/}" ;;
  *'/git/ref/tags/'*) test -e major ;;
esac
`;
  const publishing = (
    step: string,
    files: Record<string, string>,
    more: Record<string, string> = {},
  ): { calls: string[]; output: string } => {
    const seen = { calls: [''], output: '' };
    inFolder({ 'bin/gh': gh, output: '', ...files }, (folder) => {
      const env = {
        ...{
          PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`,
          GH_REPO: 'acme/ssm-ssh-agent',
          COMMIT: 'c0ffee',
        },
        ...{ GITHUB_OUTPUT: join(folder, 'output'), ...more },
      };
      bash(folder, 'chmod +x bin/gh');
      expect(bash(folder, lines(step, 'publish'), env)).toMatchObject({ status: 0, stderr: '' });
      seen.calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
      seen.output = readFileSync(join(folder, 'output'), 'utf8');
    });
    return seen;
  };

  it('publish once, and complete what a job that is run again finds', () => {
    const files = { 'release/SHA256SUMS': '' };
    expect(publishing('Publish the release', files, { LATEST: 'true' }).calls).toEqual([
      'release view v1.2.3',
      'release create v1.2.3 --verify-tag --generate-notes --latest=true release/SHA256SUMS',
    ]);
    expect(publishing('Publish the release', { ...files, released: '' }, { LATEST: 'false' }).calls).toEqual([
      'release view v1.2.3',
      'release upload v1.2.3 release/SHA256SUMS --clobber',
      'release edit v1.2.3 --draft=false --latest=false',
    ]);
  });

  it('find out whether the version is the newest of all, and of its major version', () => {
    const found = (...tags: string[]): string =>
      publishing('Find the newest version', {
        'tags-v': tags.map((tag) => `refs/tags/${tag}\n`).join(''),
        'tags-v1.': tags
          .filter((tag) => tag.startsWith('v1.'))
          .map((tag) => `refs/tags/${tag}\n`)
          .join(''),
      }).output;
    expect(found('v1.2.3', 'v1.2.2', 'v1.10.0-rc.1', 'v1')).toBe('latest=true\nmajor=true\n');
    expect(found('v1.2.3', 'v2.0.0')).toBe('latest=false\nmajor=true\n');
    expect(found('v1.2.3', 'v1.10.0', 'v1.9.9')).toBe('latest=false\nmajor=false\n');
  });

  it('fail where GitHub does not say which tags there are', () => {
    inFolder({ 'bin/gh': '#!/bin/sh\nexit 1\n' }, (folder) => {
      bash(folder, 'chmod +x bin/gh');
      const env = { PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`, GH_REPO: 'acme/ssm-ssh-agent' };
      const more = { ...env, GITHUB_OUTPUT: join(folder, 'output') };
      expect(bash(folder, lines('Find the newest version', 'publish'), more).status).toBe(1);
    });
  });

  it('move v1, which only the newest version of 1 does', () => {
    const step = 'Move the tag of the major version';
    expect(stepsOf('publish').find(({ name }) => name === step)?.if).toBe(
      "steps.newest.outputs.major == 'true'",
    );
    expect(publishing(step, { major: '' }).calls).toEqual([
      'api repos/acme/ssm-ssh-agent/git/ref/tags/v1',
      'api --method PATCH repos/acme/ssm-ssh-agent/git/refs/tags/v1 -f sha=c0ffee -F force=true',
    ]);
    expect(publishing(step, {}).calls).toEqual([
      'api repos/acme/ssm-ssh-agent/git/ref/tags/v1',
      'api --method POST repos/acme/ssm-ssh-agent/git/refs -f ref=refs/tags/v1 -f sha=c0ffee',
    ]);
  });
});
