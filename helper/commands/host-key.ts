/**
 * Says what to do where ssh failed: because our agent did not sign, or because ssh does not accept the host's key. For the
 * latter ssh is asked once more, without a key of ours.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readProtectedSettings } from '../../src/git/config-file.ts';
import { hostKeySettings } from '../../src/host/settings.ts';
import { definedIn } from '../../src/process/environment.ts';
import { run } from '../../src/process/run.ts';
import { hostKeyFailure, parseHostKeyRefusal, type KnownHostsPlace } from '../../src/ssh/host-key-refusal.ts';
import type { Terminal } from '../choose/question.ts';
import { signatureFailure } from '../choose/signature-failure.ts';
import { startOfParent } from '../choose/start-of-parent.ts';
import { markedName } from '../error-mark.ts';
import { timeLimit } from '../command-line/host-place.ts';

/** They win over the caller's, which stand behind them. Nobody is let in by no method: the command does not run again. */
const asking = ['BatchMode=yes', 'PreferredAuthentications=none', 'LogLevel=ERROR', 'ConnectTimeout=10'];

/**
 * @param job the folder of the job or of exec; empty on a host
 * @param args what ssh was given
 */
export async function explainFailure(
  [job = '', ...args]: readonly string[],
  { env, tell }: Pick<Terminal, 'env' | 'tell'>,
): Promise<number> {
  const program = markedName('ssm-ssh', env);
  const agent = agentIn(args);
  const unsigned = await signatureFailure(agent, args, await startOfParent());
  if (unsigned) {
    tell(`${unsigned.render(program)}\n`);
    return 0;
  }
  const options = { env: { ...definedIn(env), LC_ALL: 'C' }, signal: timeLimit(20, 'asking ssh') };
  const argv = ['ssh', ...asking.flatMap((option) => ['-o', option]), ...args] as const;
  const refusal = await run(argv, options).then(
    ({ stderr }) => parseHostKeyRefusal(stderr),
    () => undefined,
  );
  if (refusal) tell(`${hostKeyFailure(refusal, await placeOf(job, agent, env)).render(program)}\n`);
  return 0;
}

async function placeOf(job: string, agent: string, env: Terminal['env']): Promise<KnownHostsPlace> {
  if (job !== '') return { kind: existsSync(join(job, 'job')) ? 'job' : 'exec', file: '', own: job };
  const { settings } = await readProtectedSettings({ env });
  // The agent of a key in KMS is in a folder of its own below the state folder.
  const own = dirname(agent).replace(/\/kms\/[^/]*$/, '');
  return { kind: 'host', file: hostKeySettings(settings, env).knownHosts, own };
}

function agentIn(args: readonly string[]): string {
  const option = args.find((arg) => arg.startsWith('IdentityAgent=')) ?? '';
  const [, agent = ''] = /^IdentityAgent="(.*)"$/.exec(option) ?? [];
  return agent.replaceAll('%%', '%');
}
