/** What rotate tells people: why it refuses, and what to do next. Pure. */
import { Failure } from '../../src/errors.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { whereToPaste } from '../store/where-to-paste.ts';

const fail = (problem: string, hint: string): Failure => new Failure('INPUT_INVALID', problem, { hint });
const command = (text: string): string => `ssm-ssh-agent rotate ${quoteForShell(text)}`;

export const refusals = {
  waiting: (text: string) =>
    fail(
      `the last rotation of ${text} is not finished: the host still accepts the old key (the version with the label "previous")`,
      `run ${command(text)} --finish to remove the old public key, or --abort to go back to the old key; both take the options of the host`,
    ),
  unfinished: (text: string) =>
    fail(
      `the rotation of ${text} has begun, and the new key does not replace the old one yet`,
      `run ${command(text)} again with the same options to go on, or with --abort to go back`,
    ),
  /** @param way the one that keeps what is there now */
  changed: (text: string, way: 'abort' | 'finish') =>
    fail(
      `${text} was changed by somebody else while its key was rotated`,
      way === 'abort'
        ? `check which key is right; ${command(text)} --abort keeps the one that is there, and removes the new one of the rotation`
        : `check which key is right; ${command(text)} --finish keeps the one that is there, and removes the one from before the rotation`,
    ),
  ended: (text: string) =>
    fail(
      `the new key of ${text} is gone: another process has ended the rotation`,
      `run ${command(text)} again to begin a new one`,
    ),
  notStaged: (text: string) =>
    fail(
      `${text} has no new key that could be registered`,
      `run ${command(text)} first: it makes the key and prints the public key to register`,
    ),
  otherType: (text: string, type: string) =>
    fail(
      `the rotation of ${text} has begun with a new key of the type ${type}`,
      'leave --type out to go on with it, or run it with --abort first',
    ),
  unknownKey: (text: string, place: string) =>
    fail(
      `${place} has no deploy key that is the public key of ${text}`,
      'check the repository; if the key belongs to a user, or to more repositories, leave the repository out, register the new key by hand, and go on with --registered',
    ),
  unproven: (option: string) =>
    fail(
      `${option} needs an address to test the key with`,
      'add --test git@HOST:OWNER/REPO.git: a key is only used after the host has accepted it',
    ),
} as const;

/** The longest title that hosts take. */
const longestTitle = 250;

/** The old title with a new date: `NAME 2026-11-29`. A title without the name gets it. */
export function titleFor(old: string, name: string, today: string): string {
  const dated = /\d{4}-\d{2}-\d{2}/.test(old) ? old.replace(/\d{4}-\d{2}-\d{2}/, today) : `${old} ${today}`;
  const title = old.includes(name) ? dated : old === '' ? `${name} ${today}` : `${dated} (${name})`;
  return title.length <= longestTitle ? title : `${name} ${today}`.slice(-longestTitle);
}

/** After a new key is staged: what a person has to do. */
export function registerByHand(text: string, line: string, title: string): string[] {
  return [
    'a new key is stored, and nobody reads it yet. Register its public key with the access that the old one has:',
    ...whereToPaste(line, title).trimEnd().split('\n'),
    `then run ${command(text)} --registered --test git@HOST:OWNER/REPO.git`,
    `or go back: ${command(text)} --abort`,
  ];
}

export function rotated(text: string, options: string): string[] {
  return [
    `hosts with ssm-ssh take the new key by themselves, jobs take it when they start`,
    `when no job with the old key runs any more: ${command(text)}${options} --finish`,
  ];
}

export const removeOld = 'remove the public key above from the host: it is the old one';
export const removeNew = 'remove the public key above from the host, if you have added it there';
