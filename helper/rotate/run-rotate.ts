/** What rotate does: the steps that are left, and what it prints of them. */
import { authorizedKeysLine, fingerprint } from '../../src/keys/public-key.ts';
import { visible } from '../../src/keys/visible-text.ts';
import type { Running } from '../command-line/command.ts';
import { voiceOf } from '../command-line/keys.ts';
import type { Line } from '../command-line/parse.ts';
import { parseAccount } from '../command-line/account.ts';
import { today } from '../command-line/today.ts';
import type { rotateOptions } from './options.ts';
import { planOf, titleName, type Plan } from './plan.ts';
import type { StoredKey } from './progress.ts';
import { abort, finish, rotate, type Outcome } from './steps.ts';
import {
  commandAgain,
  keptTheirs,
  registerByHand,
  removeNew,
  removeOld,
  rotated,
  titleFor,
} from './texts.ts';

const actions = { rotate, finish, abort } as const;

export async function runRotate(line: Line<typeof rotateOptions>, running: Running): Promise<number> {
  const { values } = line;
  const plan = planOf(line);
  const account = { ...values, ...parseAccount(values) };
  const say = (text: string): void => {
    if (!values.quiet) running.err(`ssm-ssh-agent: ${visible(text)}\n`);
  };
  // Importing this file loads the AWS SDK: only after the command line was checked.
  const { openRotation } = await import('./open.ts');
  const rotation = await openRotation(plan, account, { ...running, say, voice: voiceOf(values, running) });
  const outcome = await actions[plan.action](rotation);
  if (values.json) running.out(`${JSON.stringify(record(outcome, plan), null, 2)}\n`);
  const out = values.json ? (): void => undefined : running.out.bind(running);
  report(outcome, plan, { say, out, again: commandAgain(plan, account) });
  return 0;
}

interface Ears {
  readonly say: (line: string) => void;
  readonly out: (text: string) => void;
  /** The command for the next step. */
  readonly again: string;
}

/** By hand, the public key to add or to remove is what was asked for. */
function report({ state, next, other, previous }: Outcome, plan: Plan, { say, out, again }: Ears): void {
  const { text } = plan.reference;
  const print = (key: StoredKey | undefined, lines: readonly string[]): void => {
    if (!key) return;
    out(`${publicLine(key)}\n`);
    for (const line of lines) say(line);
  };
  if (state === 'unchanged') say(`no rotation of ${text} has begun: there is nothing to ${plan.action}`);
  if (state === 'staged' && next) {
    const title = titleFor('', titleName(plan.reference), today());
    print(next, registerByHand({ plan, again, line: publicLine(next), title }));
  }
  if (state === 'rotated') for (const line of rotated(again)) say(line);
  if (state === 'finished') {
    if (!plan.host) print(other, [removeOld]);
    say(`finished: ${text} has one key`);
  }
  if (state === 'aborted') {
    if (!plan.host) print(other, [removeNew]);
    const lines = previous ? keptTheirs(text, again) : [`aborted: ${text} is the old key`];
    for (const line of lines) say(line);
  }
}

function record({ state, arn, latest, next, other, previous }: Outcome, { reference }: Plan): object {
  return {
    ...{ reference: reference.text, arn, state, ...describe(latest) },
    ...(next && { next: describe(next) }),
    ...(other && { other: describe(other) }),
    ...(previous && { previous: describe(previous) }),
  };
}

function describe({ key, version }: StoredKey): object {
  const { publicKey } = key;
  return {
    ...{ version, type: publicKey.type, fingerprint: fingerprint(publicKey) },
    publicKey: publicLine({ key, version }),
  };
}

function publicLine({ key }: StoredKey): string {
  return authorizedKeysLine(key.publicKey);
}
