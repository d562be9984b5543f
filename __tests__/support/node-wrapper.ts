/** A Node for a job's `nodePath` that starts main or post with a limit, as another user, or in a namespace. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { describeWhere, itWhere } from './needs.ts';
import { programsNode } from './programs-node.ts';
import type { Job } from './runner/job.ts';

/** In bash, which passes on variables with hyphens in their names, as inputs have; dash drops them. */
export interface Surroundings {
  /** Lines of bash that end with `"$@"`, which is Node and its arguments. */
  readonly main?: string;
  readonly post?: string;
}

/** @param folder for the wrapper */
export function wrapNode(folder: string, { main = 'exec "$@"', post = 'exec "$@"' }: Surroundings): string {
  const path = join(mkdtempSync(join(folder, 'node-')), 'node');
  const start = `set -- '${programsNode}' "$@"`;
  writeFileSync(path, `#!/bin/bash\n${start}\ncase $2 in */post/*)\n${post}\n;; esac\n${main}\n`, {
    mode: 0o755,
  });
  return path;
}

const root = userInfo().uid === 0;
const works = (name: string, ...args: readonly string[]): boolean =>
  root && spawnSync(name, args).status === 0;

/** A user other than the tester. */
export const other = 65_534;
const canBeAnother = works('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'true');
const canMount = works('unshare', '--mount', 'true');
const canHideProcesses = works('unshare', '--pid', '--fork', '--mount-proc', 'true');
export const describeWithUsers = describeWhere(canBeAnother, 'a second user: run the tests as root on Linux');
export const describeWithMounts = describeWhere(
  canMount,
  'a mount of our own (unshare --mount): root on Linux',
);
export const itWithHiddenProcesses = itWhere(
  canHideProcesses,
  'a namespace of processes (unshare --pid): root on Linux',
);

export function asUser(id: number): string[] {
  return ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups'];
}

/** A shell script that lets a user's Node write to the files that the runner created for the tester. */
export function asRunnerOf(id: number): string {
  const files = '"$GITHUB_ENV" "$GITHUB_OUTPUT" "$GITHUB_STATE" "$GITHUB_PATH" "$GITHUB_STEP_SUMMARY"';
  return `chown ${id} ${files}; exec ${asUser(id).join(' ')} "$@"`;
}

/** A folder for RUNNER_TEMP that belongs to the user. */
export function tempFor(id: number): string {
  const temp = mkdtempSync(join(tmpdir(), 'temp-'));
  chownSync(temp, id, id);
  return temp;
}

/** Opens a job's folders, which only the tester can access, for other users. */
export function openTo(job: Job): Job {
  for (const folder of [dirname(job.temp), job.temp]) chmodSync(folder, 0o755);
  return job;
}
