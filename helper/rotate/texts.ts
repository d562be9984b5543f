/** What rotate tells people: why it refuses, and what to do next. Pure. */
import { Failure } from '../../src/errors.ts';
import type { KmsReference } from '../../src/keys/key-reference.ts';
import { nextAlias, previousAlias } from '../../src/keys/rotation-aliases.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import type { Account } from '../command-line/account.ts';
import { whereToPaste } from '../store/where-to-paste.ts';
import type { Plan } from './plan.ts';

/** What is said of a key by where it is. */
export interface Words {
  /** Before a version: `version 2`. */
  readonly version: string;
  /** After the new key was made. */
  readonly staged: string;
  /** The old key. */
  readonly old: string;
}

/** @param staging the parameter, or the label, with the new key */
export function storedWords(staging: string): Words {
  return {
    version: 'version',
    staged: `the new key is stored in ${staging}, where nobody reads it yet`,
    old: 'the version with the label "previous"',
  };
}

export function kmsWords({ name }: KmsReference): Words {
  return {
    version: 'the KMS key',
    staged: `the new KMS key has the alias ${nextAlias(name)}, by which nobody signs yet`,
    old: `the KMS key with the alias ${previousAlias(name)}`,
  };
}

const fail = (problem: string, hint: string): Failure => new Failure('INPUT_INVALID', problem, { hint });

export type Refusals = ReturnType<typeof refusalsOf>;

/**
 * @param text the reference of the key
 * @param again the command of every step, with the options that all steps need
 */
export function refusalsOf(text: string, again: string, { old }: Words) {
  return {
    waiting: () =>
      fail(
        `the last rotation of ${text} is not finished: the host still accepts the old key (${old})`,
        `run ${again} --finish to remove the old public key, or --abort to go back to the old key`,
      ),
    unfinished: () =>
      fail(
        `the rotation of ${text} has begun, and the new key does not replace the old one yet`,
        `run ${again} to go on, or with --abort to go back`,
      ),
    /** @param way the one that keeps what is there now */
    changed: (way: 'abort' | 'finish') =>
      fail(
        `${text} was changed by somebody else while its key was rotated`,
        way === 'abort'
          ? `check which key is right; ${again} --abort keeps the one that is there, and removes the new one of the rotation`
          : `check which key is right; ${again} --finish keeps the one that is there, and removes the one from before the rotation`,
      ),
    /** @param members of the same secret */
    others: (members: readonly string[]) =>
      fail(
        `another member of the secret of ${text} is being rotated, or was changed meanwhile: ${members.join(', ')}`,
        'end that rotation first, with rotate for that member and --finish or --abort: a secret has its labels once for all members. If no rotation is going on, take the labels next and previous away: aws secretsmanager update-secret-version-stage --secret-id NAME --version-stage LABEL --remove-from-version-id ID',
      ),
    ended: () =>
      fail(
        `the new key of ${text} is gone: another process has ended the rotation`,
        `run ${again} to begin a new one`,
      ),
    replaced: () =>
      fail(
        `the new key of ${text} was replaced by another process while it was proven`,
        `nothing was changed for readers of the key: run ${again} to go on with the key that is stored now`,
      ),
    /** A KMS key whose deletion is scheduled does not sign. */
    tooLate: () =>
      fail(
        `${old} is given up already: its deletion is scheduled, and --finish was stopped after that`,
        `run ${again} --finish to end the rotation, or stop the deletion (aws kms cancel-key-deletion, then aws kms enable-key), register its public key again, and run --abort`,
      ),
    notStaged: () =>
      fail(
        `${text} has no new key that could be registered`,
        `run ${again} first: it makes the key and prints the public key to register`,
      ),
    otherType: (type: string) =>
      fail(
        `the rotation of ${text} has begun with a new key of the type ${type}`,
        'leave --type out to go on with it, or run it with --abort first',
      ),
    unknownKey: (place: string) =>
      fail(
        `${place} has no deploy key that is the public key of ${text}`,
        'check the repository; if the key belongs to a user, or to more repositories, leave the repository out, register the new key by hand, and go on with --registered',
      ),
    /** For --finish and --abort. */
    notItsKey: (place: string) =>
      fail(
        `${place} has no deploy key that is the public key of ${text}`,
        'write the repository that the rotation has begun with; if the key is registered by hand, leave the repository out',
      ),
  } as const;
}

/** @param option the one that needs a proof */
export function unproven(option: string): Failure {
  return fail(
    `${option} needs an address to test the key with`,
    'add --test git@HOST:OWNER/REPO.git: a key is only used after the host has accepted it',
  );
}

/** The command for the next step, as words of sh: all that finds the host and the key. */
export function commandAgain(plan: Plan, account: Account): string {
  const { host, test, knownHosts, reference } = plan;
  const { region, roles, profile } = account;
  const options: readonly (readonly [option: string, value: string | undefined])[] = [
    [host?.kind === 'gitlab' ? '--gitlab-project' : '--github-repo', host?.repository],
    ['--api-url', host?.apiUrl],
    ['--token', host?.token.text],
    ['--test', test],
    ['--known-hosts', knownHosts],
    ['--region', region],
    ...roles.map((role) => ['--role-arn', role] as const),
    ['--profile', profile],
  ];
  const given = options.flatMap(([option, value]) => (value === undefined ? [] : [option, value]));
  return ['ssm-ssh-agent', 'rotate', reference.text, ...given].map(quoteForShell).join(' ');
}

/** The longest title that hosts take. */
const longestTitle = 250;

/** The old title with a new date: `NAME 2026-11-29`. A title without the name gets it. */
export function titleFor(old: string, name: string, today: string): string {
  const dated = /\d{4}-\d{2}-\d{2}/.test(old) ? old.replace(/\d{4}-\d{2}-\d{2}/, today) : `${old} ${today}`;
  const title = old.includes(name) ? dated : old === '' ? `${name} ${today}` : `${dated} (${name})`;
  return title.length <= longestTitle ? title : `${name} ${today}`.slice(-longestTitle);
}

/** The public key that a person has to register, and the command of every step. */
export interface ByHand {
  readonly plan: Plan;
  readonly again: string;
  /** `TYPE BASE64 [COMMENT]` */
  readonly line: string;
  readonly title: string;
}

/** After a new key is staged: what a person has to do. */
export function registerByHand({ plan, again, line, title }: ByHand): string[] {
  const test = plan.test === undefined ? ' --test git@HOST:OWNER/REPO.git' : '';
  return [
    `${plan.reference.kind === 'kms' ? 'a new key is in KMS, and nobody signs with it yet' : 'a new key is stored, and nobody reads it yet'}. Register its public key with the access that the old one has:`,
    ...whereToPaste(line, title).trimEnd().split('\n'),
    `then run ${again} --registered${test}`,
    `or go back: ${again} --abort`,
  ];
}

export function rotated(again: string): string[] {
  return [
    `hosts with ssm-ssh take the new key by themselves, jobs take it when they start`,
    `when no job with the old key runs any more: ${again} --finish`,
  ];
}

/** After --abort that kept the key of somebody else. */
export function keptTheirs(text: string, again: string): string[] {
  return [
    `aborted: ${text} stays the key that somebody else stored, and the host still accepts the key from before the rotation`,
    `to remove the public key of that one: ${again} --finish`,
  ];
}

export const removeOld = 'remove the public key above from the host: it is the old one';
export const removeNew = 'remove the public key above from the host, if you have added it there';
