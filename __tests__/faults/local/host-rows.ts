/** The steps of the programs on a host, with the troubles of each, and what is promised. */
import { homeDisk, tempDisk, type HostRow, type HostStep } from './host-row.ts';
import type { Promised } from './judge.ts';
import {
  absent,
  broken,
  closed,
  fileSize,
  forbidden,
  full,
  fullErrors,
  fullOutput,
  noInodes,
  openFiles,
  program,
  readOnly,
  type LocalTrouble,
} from './troubles.ts';

type Pair = readonly [LocalTrouble, Promised];

export const each = (troubles: readonly LocalTrouble[], promised: Promised): Pair[] =>
  troubles.map((trouble) => [trouble, promised]);
export const rowsOf = (step: HostStep, ...pairs: readonly Pair[]): HostRow[] =>
  pairs.map(([trouble, promised]) => ({ step, trouble, promised }));

/** A program that is absent, hangs, or is broken. undefined: the program is the user's own, and takes the time it takes. */
export const programs = (
  name: string,
  [isAbsent, hangs, isBroken]: readonly [Promised, Promised | undefined, Promised],
): Pair[] => [
  ...each(
    absent.map((kind) => program(name, kind)),
    isAbsent,
  ),
  ...each(hangs === undefined ? [] : [program(name, 'hanging')], hangs ?? 'ok'),
  ...each(
    broken.map((kind) => program(name, kind)),
    isBroken,
  ),
];

/**
 * A git that answers nothing useful is no git without settings. Its garbage looks like old git's answer.
 *
 * @param isForeign of another architecture
 */
export const git = (isAbsent: Promised, isForeign: Promised = 'INPUT_INVALID'): Pair[] =>
  programs('git', [isAbsent, 'TIMEOUT', 'INPUT_INVALID'])
    // 127 is the shell's own code for a missing program.
    .filter(([{ name }]) => !/garbage|127/.test(name))
    .map(([trouble, promised]) => [trouble, /architecture/.test(trouble.name) ? isForeign : promised]);

export const disks = (promised: Promised, ...both: readonly (typeof homeDisk)[]): Pair[] =>
  each([full(0, ...both), noInodes(0, ...both), readOnly(...both), forbidden(...both)], promised);

const upload = `"$SSM_SSH" $LOGIN "git-upload-pack '/acme/lib.git'"`;
/** An empty wish: git's server lists the branches, and ends. */
const list = `printf 0000 | ${upload} | grep -a refs/heads/main >/dev/null`;
const listing = { run: `set -o pipefail; ${list}` };
const steps = {
  cold: { ...listing, name: 'ssm-ssh, cold' },
  // With what it has for its standard descriptors.
  bare: { name: 'ssm-ssh, cold and alone', run: upload, again: list },
  warm: { ...listing, name: 'ssm-ssh, warm', before: list },
  heal: {
    ...{ ...listing, name: 'ssm-ssh, healing' },
    before: `${list}; SSH_AUTH_SOCK=$(echo "$HOME"/.cache/*/agent) ssh-add -qD`,
  },
} satisfies Record<string, HostStep>;

const manyInodes = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20];
const manyKilobytes = [4, 8, 12, 16, 24, 32, 48];
export const small = (...both: readonly (typeof homeDisk)[]): LocalTrouble[] => [
  ...manyInodes.map((left) => noInodes(left, ...both)),
  ...manyKilobytes.map((left) => full(left, ...both)),
];

export const hostRows: readonly HostRow[] = [
  ...rowsOf(
    steps.cold,
    ...programs('ssh', ['SSH_NOT_FOUND', undefined, 'failed']),
    ...programs('ssh-agent', ['AGENT_NOT_FOUND', 'TIMEOUT', 'AGENT_FAILED']),
    ...programs('ssh-add', ['ok', 'ok', 'ok']),
    ...git('ok'),
    ...programs('flock', ['ok', 'TIMEOUT', ['ok', 'TIMEOUT']]),
    ...disks('ok', homeDisk),
    ...disks('ok', tempDisk),
    ...disks('STATE_UNSAFE', homeDisk, tempDisk),
    ...each(small(homeDisk, tempDisk), ['ok', 'STATE_UNSAFE']),
    ...each([16, 20, 40, 64, 80].map(openFiles), ['ok', 'STATE_UNSAFE']),
    [fileSize, 'STATE_UNSAFE'],
    [fullErrors, 'ok'],
  ),
  // git's server ends with an error, because it gets no wish.
  ...rowsOf(steps.bare, ...each([...closed, fullOutput], 'failed')),
  ...rowsOf(
    steps.warm,
    ...programs('ssh', ['SSH_NOT_FOUND', undefined, 'failed']),
    ...programs('ssh-agent', ['ok', 'ok', 'ok']),
    ...programs('ssh-add', ['ok', 'ok', 'ok']),
    // Only the shell asks for git's settings here. What it cannot start is no git for it.
    ...git('ok', 'ok'),
    ...programs('flock', ['ok', 'ok', 'ok']),
    ...disks('ok', homeDisk, tempDisk),
    ...each([16, 20, 40, 64].map(openFiles), 'ok'),
    [fileSize, 'ok'],
    [fullErrors, 'ok'],
  ),
  ...rowsOf(
    steps.heal,
    ...programs('ssh-agent', ['ok', 'ok', 'ok']),
    ...programs('ssh-add', ['ok', 'ok', 'ok']),
    ...git('ok'),
    ...programs('flock', ['ok', 'TIMEOUT', ['ok', 'TIMEOUT']]),
    ...disks(['ok', 'STATE_UNSAFE'], homeDisk, tempDisk),
    ...each(small(homeDisk, tempDisk), ['ok', 'STATE_UNSAFE']),
    ...each([16, 20, 40, 64, 80].map(openFiles), ['ok', 'STATE_UNSAFE']),
    [fileSize, ['ok', 'STATE_UNSAFE']],
    [fullErrors, 'ok'],
  ),
];
