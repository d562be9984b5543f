/** The action's main step: reads the inputs, loads the keys, reports failures. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseInputs } from './action/inputs.ts';
import { withMaskedAccounts } from './action/masked-accounts.ts';
import { stopSignal } from './action/stop-signal.ts';
import { toFailure } from './errors.ts';
import * as runner from './runner.ts';
import { onUnfinished } from './deadline.ts';

const { env, argv, execPath } = process;
const workflow = withMaskedAccounts(runner.workflow, env);
const { run } = runner;

let ending = false;

function fail(error: unknown): never {
  const failure = toFailure(error);
  workflow.fail(failure);
  process.exit(failure.exitCode);
}

try {
  const inputs = parseInputs(env);
  const installation = { path: join(dirname(argv[1] ?? ''), '../..'), node: execPath };
  const names = [
    'ssm-ssh',
    'ssm-ssh-job.sh',
    'ssm-ssh-agent',
    'git-credential-ssm',
    'launch.sh',
    'ssm-ssh-sign',
  ];
  const programs = Object.fromEntries(
    names.map((name) => [name, readFileSync(join(installation.path, 'helper', name), 'utf8')]),
  );
  const signal = stopSignal(process, inputs.timeoutSeconds);
  // The first call follows an aborted signal: loadKeys then undoes its work. The second call means that this did not
  // end either.
  onUnfinished(process, 'undoing what was begun', (failure) => {
    if (ending) fail(failure);
    ending = true;
  });
  // Loaded here: a wrong input is reported before.
  const { loadKeys } = await import('./action/load-keys.ts');
  await loadKeys(inputs, { env, workflow, signal, run, installation, programs });
  process.exit(0);
} catch (error) {
  fail(error);
}
