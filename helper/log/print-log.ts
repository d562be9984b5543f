/** What log prints: the signatures of the agents in front that run for this user. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toFailure } from '../../src/errors.ts';
import { stateFolders, userOf } from '../../src/host/state-folder.ts';
import { frontFolders } from '../../src/host/user-agent.ts';
import { isFront, readUses } from '../../src/kms/front/control.ts';
import { describeUses } from '../../src/kms/front/describe-uses.ts';
import type { LogPage } from '../../src/kms/front/use-log.ts';
import type { Running } from '../command-line/command.ts';

/** Milliseconds for one agent. */
const patience = 5000;

type Page = Omit<LogPage, 'hasMore'>;

export async function printLog(
  values: { readonly json?: boolean | undefined; readonly quiet?: boolean | undefined },
  running: Running,
): Promise<number> {
  const { pages, failure } = await readAll(running.env);
  const uses = pages.flatMap((page) => page.uses);
  uses.sort((one, other) => (one.time < other.time ? -1 : 1));
  const total = (outcome: keyof LogPage['totals']): number =>
    pages.reduce((sum, { totals }) => sum + totals[outcome], 0);
  const totals = { signed: total('signed'), refused: total('refused'), failed: total('failed') };
  if (values.json) running.out(`${JSON.stringify({ agents: pages.length, uses, totals }, null, 2)}\n`);
  else if (uses.length > 0)
    running.out(
      describeUses({ uses, totals })
        .map((line) => `${line}\n`)
        .join(''),
    );
  else if (!values.quiet && !failure)
    running.err(
      `ssm-ssh-agent: ${pages.length > 0 ? 'nothing was signed' : 'no agent for keys in KMS runs'}\n`,
    );
  if (failure) throw failure;
  return 0;
}

interface All {
  readonly pages: readonly Page[];
  /** Why the log of an agent that runs could not be read. */
  readonly failure: Error | undefined;
}

/** Those of ssm-ssh, and the one of SSH_AUTH_SOCK: of exec, of add --agent, or of a job. */
async function readAll(env: Running['env']): Promise<All> {
  const folders = (await Promise.all(stateFolders(userOf(env)).map(frontFolders))).flat();
  const controls = folders.map((folder) => join(folder, 'control')).filter(existsSync);
  const around = env['SSH_AUTH_SOCK'] ? join(dirname(env['SSH_AUTH_SOCK']), 'control') : '';
  const isNew = existsSync(around) && !controls.includes(around);
  // Another program's agent may have a socket of this name beside it.
  if (isNew && (await isFront(around, AbortSignal.timeout(patience)).catch(() => false)))
    controls.push(around);
  const read = controls.map((control) =>
    readUses(control, { signal: AbortSignal.timeout(2 * patience), patience }),
  );
  const outcomes = await Promise.allSettled(read);
  return {
    pages: outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    failure: outcomes
      .flatMap((one) => (one.status === 'rejected' ? [toFailure(one.reason)] : []))
      // It has ended meanwhile, or it is another user's.
      .find(({ code }) => code !== 'AGENT_NOT_FOUND' && code !== 'STATE_UNSAFE'),
  };
}
