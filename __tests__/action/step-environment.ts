/** The environment of main. */
import { dirname } from 'node:path';
import type { Env } from '../../src/action/inputs.ts';
import { inputVariable, readActionFile } from '../support/runner/action-file.ts';

export const action = readActionFile(dirname(dirname(import.meta.dirname)));
/** The variables of a job with `id-token: write`. */
export const token = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x.test', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' };

/** The environment of a step: the defaults of action.yml, what `with:` says, and what the runner sets. */
export function stepEnvironment(given: Readonly<Record<string, string>> = {}, env: Env = {}): Env {
  const defaults = [...action.inputs].map(([name, input]) => [name, input.default ?? ''] as const);
  const all = [...defaults, ['keys', '/ci/key'] as const, ...Object.entries(given)];
  const run = { GITHUB_REPOSITORY: 'acme/lib', GITHUB_RUN_ID: '42', GITHUB_RUN_ATTEMPT: '1' };
  return { ...run, ...env, ...Object.fromEntries(all.map(([name, value]) => [inputVariable(name), value])) };
}
