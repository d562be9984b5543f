/** The workflows of this project, as their tests see them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

export interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}
export interface Job {
  readonly if?: string;
  readonly needs?: string;
  readonly environment?: string;
  readonly 'timeout-minutes'?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
export interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: string;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = join(dirname(dirname(import.meta.dirname)), '.github/workflows');
export const workflowNames: readonly string[] = readdirSync(folder);
export const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');
export const workflow = (name: string): Workflow => parse(textOf(name)) as Workflow;

export const uses = (action: string, steps: readonly Step[]): Step[] =>
  steps.filter((step) => step.uses?.startsWith(`actions/${action}@`));

/** The lines of the step of this name. */
export function linesOf(file: string, name: string, job: string): string {
  const run = workflow(file).jobs[job]?.steps.find((step) => step.name === name)?.run;
  if (run === undefined) throw new Error(`${job} has no step "${name}"`);
  return run;
}
