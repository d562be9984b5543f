/** The action's main step: gather, call, report. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseInputs } from './action/inputs.ts';
import { loadKeys } from './action/load-keys.ts';
import { stopSignal } from './action/stop-signal.ts';
import { toFailure } from './errors.ts';
import { workflow } from './toolkit.ts';

const { env, argv } = process;

try {
  const inputs = parseInputs(env);
  const helper = (name: string): string =>
    readFileSync(join(dirname(argv[1] ?? ''), '../../helper', name), 'utf8');
  const programs = { ssh: helper('ssm-ssh'), sign: helper('ssm-ssh-sign') };
  const signal = stopSignal(process, inputs.timeoutSeconds);
  await loadKeys(inputs, { env, workflow, signal, programs });
  process.exit(0);
} catch (error) {
  const failure = toFailure(error);
  workflow.fail(failure);
  process.exit(failure.exitCode);
}
