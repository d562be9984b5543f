/** Rules for every workflow: the checks of OpenSSF Scorecard that a file can break. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { textOf, uses, workflow, workflowNames, type Workflow } from './support/workflows.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** What is wrong with a workflow. */
function problemsOf(text: string): string[] {
  const { on, permissions, jobs } = parse(text) as Workflow;
  const dangerous = ['pull_request_target', 'workflow_run', 'issue_comment', 'repository_dispatch'];
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const scopes = Object.values(permissions ?? { all: 'write' });
  return [
    ...Object.keys(on)
      .filter((event) => dangerous.includes(event))
      .map((event) => `${event} runs with rights of this repository for changes of others`),
    ...(scopes.every((scope) => scope === 'read') ? [] : ['the top level gives more than reading']),
    // A value in a line of a shell is code. The environment carries it as a value.
    ...steps
      .filter(({ run }) => run?.includes('${{'))
      .map(({ name, run }) => `expression in: ${name ?? run}`),
    ...(text.match(/^[ -]*uses:.*$/gm) ?? [])
      .filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))
      .map((line) => `not pinned by a commit, with its version: ${line.trim()}`),
    ...uses('checkout', steps)
      .filter((step) => step.with?.['persist-credentials'] !== false)
      .map(() => 'the code that is checked out gets credentials'),
    ...Object.entries(jobs)
      .filter(([, job]) => job['timeout-minutes'] === undefined)
      .map(([name]) => `${name} has no time limit`),
  ];
}

describe('a workflow', () => {
  it.each(workflowNames)(
    '%s gives code of others no rights, pins each action, and puts no expression into a shell',
    (name) => {
      expect(textOf(name)).toContain('uses:');
      expect(problemsOf(textOf(name))).toEqual([]);
    },
  );

  it.each([
    ['on:\n  push:', 'on:\n  pull_request_target:', /^pull_request_target runs with rights/],
    ['on:\n  push:', 'on:\n  workflow_run:', /^workflow_run runs with rights/],
    ['permissions:\n  contents: read\n', '', /^the top level gives/],
    ['contents: read', 'contents: write', /^the top level gives/],
    ['bash .ci/run', "echo '${{ github.event.pull_request.title }}'", /^expression in: echo/],
    [/@[0-9a-f]{40} # v5.0.0/, '@v5', /^not pinned .*@v5$/],
    ['persist-credentials: false', 'persist-credentials: true', /^the code that is checked out gets/],
    [/ {4}timeout-minutes: \d+\n/, '', /^test has no time limit$/],
  ])('would be refused with another text for %s: %s', (from, to, problem) => {
    const text = textOf('ci.yml');
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    expect(problemsOf(changed)).toEqual([expect.stringMatching(problem)]);
  });

  it('may write only in a job that runs nothing of the repository', () => {
    const writing = workflowNames.flatMap((name) =>
      Object.entries(workflow(name).jobs).filter(([, { permissions = {} }]) =>
        Object.values(permissions).includes('write'),
      ),
    );
    expect(writing.map(([name]) => name)).toEqual(['publish', 'npm']);
    expect(writing.flatMap(([, job]) => uses('checkout', job.steps))).toEqual([]);
  });

  it('runs the tests for each pull request', () => {
    const { on, jobs } = workflow('ci.yml');
    expect(Object.keys(on)).toContain('pull_request');
    expect(jobs['test']?.steps.map(({ run }) => run)).toContain('bash .ci/run');
  });
});

describe('the repository', () => {
  it('has updates of its packages and of its actions, each week', () => {
    const { updates } = parse(read('.github/dependabot.yml')) as {
      readonly updates: readonly { 'package-ecosystem': string; schedule: { interval: string } }[];
    };
    expect(updates.map((one) => [one['package-ecosystem'], one.schedule.interval])).toEqual([
      ['npm', 'weekly'],
      ['github-actions', 'weekly'],
    ]);
  });

  it('has a licence, and says how to report a vulnerability, where, and in which time', () => {
    expect(read('LICENSE')).toMatch(/^MIT License/);
    const text = read('SECURITY.md');
    expect(text.match(/vuln|disclos/gi)?.length).toBeGreaterThan(1);
    expect(text).toMatch(/https:\/\/github\.com\/[\w-]+\/ssm-ssh-agent\/security\/advisories\/new/);
    expect(text).toMatch(/within \w+ working days/);
  });

  it('has no file that a machine runs and nobody can read', () => {
    const binary = /\.(a|bin|class|com|crx|deb|dex|dll|dylib|elf|exe|jar|node|o|pyc|pyo|rpm|so|wasm)$/;
    const skipped = ['.git', 'node_modules', 'lib', 'coverage'];
    const files = readdirSync(root, { withFileTypes: true })
      .filter(({ name }) => !skipped.includes(name))
      .flatMap((entry) =>
        entry.isDirectory()
          ? readdirSync(join(root, entry.name), { recursive: true, encoding: 'utf8' })
          : [entry.name],
      );
    expect(files.length).toBeGreaterThan(300);
    expect(files.filter((name) => binary.test(name))).toEqual([]);
  });
});
