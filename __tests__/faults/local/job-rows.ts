/** The steps of main and post with the troubles of each, and what is promised. */
import { disks, each, programs, small } from './host-rows.ts';
import { accountDisk, runnerDisk, type JobRow, type JobStep } from './job-row.ts';
import type { Promised } from './judge.ts';
import {
  closed,
  fileSize,
  full,
  fullErrors,
  noInodes,
  openFiles,
  readOnly,
  type LocalTrouble,
} from './troubles.ts';

const rowsOf = (step: JobStep, ...pairs: readonly (readonly [LocalTrouble, Promised])[]): JobRow[] =>
  pairs.map(([trouble, promised]) => ({ step, trouble, promised }));

const steps = {
  main: { name: 'main', part: 'main' },
  signing: { name: 'main with git-signing', part: 'main', inputs: { 'git-signing': 'true' } },
  restricted: { name: 'main with restrict-to-hosts', part: 'main', inputs: { 'restrict-to-hosts': 'true' } },
  plain: { name: 'main with ssh-config', part: 'main', inputs: { 'ssh-config': 'true' } },
  kms: { name: 'main with a key in KMS', part: 'main', inputs: { keys: 'kms:alias/deploy' } },
  post: { name: 'post', part: 'post' },
  plainPost: { name: 'post with ssh-config', part: 'post', inputs: { 'ssh-config': 'true' } },
  kmsPost: { name: 'post with a key in KMS', part: 'post', inputs: { keys: 'kms:alias/deploy' } },
} satisfies Record<string, JobStep>;

/** A file by which the runner is told something. */
const fileCommands = (name: string): LocalTrouble[] =>
  [
    ['on a full disk', '/dev/full'],
    ['missing', '$FOLDER/nowhere'],
    ['a folder', '$FOLDER'],
    ['read-only', '$FOLDER/read-only/file'],
  ].map(([what = '', path = '']) => ({ name: `${name} ${what}`, around: `${name}=${path} "$@"` }));

/** With fewer, Node itself cannot work. */
const manyFiles = [32, 40, 48, 64, 96].map(openFiles);
const moreInodes = [24, 28, 32].map((left) => noInodes(left, runnerDisk));
const moreKilobytes = [64, 80, 96, 112, 128, 144].map((left) => full(left, runnerDisk));

const agent = '"$SSH_AGENT_PID"';
const ofAgent: readonly LocalTrouble[] = [
  { name: 'the agent stopped', make: `kill -STOP ${agent}` },
  { name: 'the agent killed', make: `kill -KILL ${agent}` },
  { name: 'the socket of the agent removed', make: 'rm -f "$SSH_AUTH_SOCK"' },
  { name: 'the folder of the job removed', make: 'rm -rf "$FOLDER"/temp/*' },
];
const noPrograms: LocalTrouble = { name: 'no program on PATH', around: 'PATH=/nowhere "$@"' };
const noProc: LocalTrouble = {
  ...{ name: '/proc not readable', make: 'mount -t tmpfs none /proc', end: 'umount /proc' },
};

export const jobRows: readonly JobRow[] = [
  ...rowsOf(
    steps.main,
    ...programs('ssh-agent', ['AGENT_NOT_FOUND', 'TIMEOUT', 'AGENT_FAILED']),
    ...disks('STATE_UNSAFE', runnerDisk),
    ...each([...small(runnerDisk), ...moreInodes, ...moreKilobytes], ['ok', 'STATE_UNSAFE']),
    ...each(manyFiles, ['ok', 'STATE_UNSAFE']),
    [fileSize, 'STATE_UNSAFE'],
    ...each([...closed, fullErrors], 'ok'),
    ...each(
      ['GITHUB_STATE', 'GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_PATH'].flatMap(fileCommands),
      'STATE_UNSAFE',
    ),
    ...each(fileCommands('GITHUB_STEP_SUMMARY'), 'ok'),
    [noProc, 'ok'],
  ),
  ...rowsOf(steps.signing, ...programs('git', ['GIT_NOT_FOUND', undefined, 'GIT_NOT_FOUND'])),
  ...rowsOf(steps.restricted, ...programs('ssh', ['AGENT_NOT_FOUND', undefined, 'ok'])),
  ...rowsOf(steps.plain, ...disks('STATE_UNSAFE', accountDisk).filter(([{ byUser }]) => byUser !== true), [
    noInodes(1, accountDisk),
    'STATE_UNSAFE',
  ]),
  ...rowsOf(
    steps.kms,
    ...programs('ssh-agent', ['AGENT_NOT_FOUND', 'TIMEOUT', 'AGENT_FAILED']),
    // The agent in front tells that it has no room for its socket.
    ...each([...small(runnerDisk), ...moreInodes], ['ok', 'STATE_UNSAFE', 'AGENT_FAILED']),
    ...each(manyFiles, ['ok', 'STATE_UNSAFE']),
  ),
  ...rowsOf(
    steps.post,
    ...each(ofAgent, 'ok'),
    ...each([full(0, runnerDisk), noInodes(0, runnerDisk), readOnly(runnerDisk)], 'ok'),
    ...each(manyFiles, 'ok'),
    ...each([fileSize, noPrograms, noProc, ...closed, fullErrors], 'ok'),
    ...each(['GITHUB_ENV', 'GITHUB_STEP_SUMMARY'].flatMap(fileCommands), 'ok'),
  ),
  ...rowsOf(
    steps.plainPost,
    ...each([full(0, accountDisk), noInodes(0, accountDisk), readOnly(accountDisk)], 'ok'),
  ),
  ...rowsOf(
    steps.kmsPost,
    ...each([full(0, runnerDisk), readOnly(runnerDisk)], 'ok'),
    ...each([32].map(openFiles), 'ok'),
    ...each(fileCommands('GITHUB_STEP_SUMMARY'), 'ok'),
  ),
];
