/** Says what to do where ssh failed because it does not accept the host's key: ssh is asked once more, without a key of ours. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readProtectedSettings } from '../../src/git/config-file.ts';
import { hostKeySettings } from '../../src/host/settings.ts';
import { definedIn } from '../../src/process/environment.ts';
import { run } from '../../src/process/run.ts';
import { hostKeyFailure, parseHostKeyRefusal, type KnownHostsPlace } from '../../src/ssh/host-key-refusal.ts';
import type { Terminal } from '../choose/question.ts';
import { timeLimit } from '../command-line/host-place.ts';

/** They win over the caller's, which stand behind them. Nobody is let in by no method: the command does not run again. */
const asking = ['BatchMode=yes', 'PreferredAuthentications=none', 'LogLevel=ERROR', 'ConnectTimeout=10'];

/**
 * @param job the folder of the job or of exec; empty on a host
 * @param args what ssh was given
 */
export async function explainHostKey(
  [job = '', ...args]: readonly string[],
  { env, tell }: Pick<Terminal, 'env' | 'tell'>,
): Promise<number> {
  const options = { env: { ...definedIn(env), LC_ALL: 'C' }, signal: timeLimit(20, 'asking ssh') };
  const argv = ['ssh', ...asking.flatMap((option) => ['-o', option]), ...args] as const;
  const refusal = await run(argv, options).then(
    ({ stderr }) => parseHostKeyRefusal(stderr),
    () => undefined,
  );
  if (refusal) tell(`${hostKeyFailure(refusal, await placeOf(job, args, env)).render('ssm-ssh')}\n`);
  return 0;
}

async function placeOf(job: string, args: readonly string[], env: Terminal['env']): Promise<KnownHostsPlace> {
  if (job !== '') return { kind: existsSync(join(job, 'job')) ? 'job' : 'exec', file: '', own: job };
  const { settings } = await readProtectedSettings({ env, signal: timeLimit(20, 'reading git') });
  const [, agent = ''] =
    /^IdentityAgent="(.*)"$/.exec(args.find((arg) => arg.startsWith('IdentityAgent=')) ?? '') ?? [];
  return {
    kind: 'host',
    file: hostKeySettings(settings, env).knownHosts,
    own: dirname(agent.replaceAll('%%', '%')),
  };
}
