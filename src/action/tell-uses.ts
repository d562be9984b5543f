/** Tells what the keys that stay in KMS were used for: in the log, and in the step summary. */
import { toFailure } from '../errors.ts';
import { readUses } from '../kms/front/control.ts';
import { describeUses } from '../kms/front/describe-uses.ts';
import type { LogPage, Use } from '../kms/front/use-log.ts';
import { input, type Env } from './input.ts';
import { jobFolder } from './job-folder.ts';
import { code, table } from './markdown.ts';
import type { State } from './state.ts';
import type { Workflow } from './workflow.ts';

/** Milliseconds for the agent's answer at the end of a job. */
const patience = 2000;

/** For post. A job without such keys has no such agent, and nothing is told. */
export async function tellUses(
  { folder, socket }: State,
  { env, workflow }: { readonly env: Env; readonly workflow: Pick<Workflow, 'info' | 'summarize'> },
): Promise<void> {
  const { control } = jobFolder(folder, socket);
  let page;
  try {
    page = await readUses(control, { signal: AbortSignal.timeout(2 * patience), patience });
  } catch (error) {
    const failure = toFailure(error);
    // It has ended with its last key.
    if (failure.code !== 'AGENT_NOT_FOUND')
      workflow.info(`the log of the keys in KMS cannot be read: ${failure.message}`);
    return;
  }
  for (const line of describeUses(page)) workflow.info(line);
  if (input(env, 'summary') !== 'false' && page.uses.length > 0) await workflow.summarize(renderUses(page));
}

/** Markdown. */
export function renderUses({ uses }: Pick<LogPage, 'uses'>): string {
  const head = ['time', 'key', 'host', 'user', 'algorithm', 'outcome'];
  const rows = uses.map((use) => [
    use.time.slice(11, 19),
    code(use.comment),
    placeOf(use),
    code(use.user ?? ''),
    code(use.algorithm ?? ''),
    use.outcome === 'signed' ? 'signed' : (use.failure?.code ?? use.outcome),
  ]);
  return table('Signatures by keys in KMS', head, rows);
}

function placeOf({ purpose, host, hostKey }: Use): string {
  if (purpose === 'git') return 'a signature of git';
  return purpose === 'certificate' ? 'the renewal of its certificate' : code(host ?? hostKey ?? '');
}
