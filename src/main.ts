/** The action's main step: gather, call, report. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseInputs } from './action/inputs.ts';
import { loadKeys } from './action/load-keys.ts';
import { stopSignal } from './action/stop-signal.ts';
import { toFailure } from './errors.ts';
import { workflow } from './toolkit.ts';

const { env, argv, execPath } = process;

try {
  const inputs = parseInputs(env);
  const installation = { path: join(dirname(argv[1] ?? ''), '../..'), node: execPath };
  const names = ['ssm-ssh', 'ssm-ssh-job.sh', 'ssm-ssh-agent', 'ssm-ssh-sign'];
  const programs = Object.fromEntries(
    names.map((name) => [name, readFileSync(join(installation.path, 'helper', name), 'utf8')]),
  );
  const signal = stopSignal(process, inputs.timeoutSeconds);
  await loadKeys(inputs, { env, workflow, signal, installation, programs });
  process.exit(0);
} catch (error) {
  const failure = toFailure(error);
  workflow.fail(failure);
  process.exit(failure.exitCode);
}
