/** A JavaScript action made at run time from two scripts, and a job that uses it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJob } from '../../support/runner/job.ts';
import type { Job, JobOptions } from '../../support/runner/job.ts';

export interface Fixture {
  /** CommonJS with `fs`, `env` and `say` (prints a line). */
  readonly main: string;
  readonly post?: string;
  /** The YAML below `inputs:`, in flow style. */
  readonly inputs?: string;
  readonly postIf?: string;
}

const prologue = `
const fs = require('node:fs');
const { spawn } = require('node:child_process');
const { env } = process;
const say = (line) => fs.writeSync(1, line + '\\n');
const append = (file, text) => fs.appendFileSync(env['GITHUB_' + file], text);
`;

const started: { readonly job: Job; readonly folder: string }[] = [];

export function jobUsing(fixture: Fixture, options: Omit<JobOptions, 'actionPath'> = {}): Job {
  const folder = mkdtempSync(join(tmpdir(), 'fixture-action-'));
  const { main, post, inputs = '{}', postIf } = fixture;
  const runs = [
    ...['  using: node24', '  main: main.js'],
    ...(post === undefined ? [] : ['  post: post.js']),
    ...(postIf === undefined ? [] : [`  post-if: ${postIf}`]),
  ];
  writeFileSync(
    join(folder, 'action.yml'),
    ['name: fixture', `inputs: ${inputs}`, 'runs:', ...runs, ''].join('\n'),
  );
  writeFileSync(join(folder, 'main.js'), prologue + main);
  if (post !== undefined) writeFileSync(join(folder, 'post.js'), prologue + post);
  const job = createJob({ actionPath: folder, ...options });
  started.push({ job, folder });
  return job;
}

export function disposeJobs(): void {
  for (const { job, folder } of started.splice(0)) {
    job.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
