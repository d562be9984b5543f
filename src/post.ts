/**
 * The action's post step: undoes main. It never fails a job that has done its work. It runs in every job, so code that
 * few jobs need is loaded only in those.
 */
import { existsSync } from 'node:fs';
import { jobFolder } from './action/job-folder.ts';
import { withMaskedSpeech } from './action/masked-accounts.ts';
import { readState, stateName } from './action/state.ts';
import { unloadKeys } from './action/unload-keys.ts';
import { toFailure } from './errors.ts';
import { onUnfinished } from './deadline.ts';
import { workflowCommands } from './workflow-commands.ts';

const { env, stdout } = process;
const commands = workflowCommands({
  env,
  write: (text) => {
    stdout.write(text);
  },
});
const workflow = withMaskedSpeech(commands, env);

const warn = (error: unknown): void => {
  workflow.warn(`not everything could be undone: ${toFailure(error).message}`);
};

onUnfinished(process, 'undoing what the step did', (failure) => {
  warn(failure);
  process.exit(0);
});

try {
  const state = readState(env[`STATE_${stateName}`]);
  if (state && existsSync(jobFolder(state.folder, state.socket).control)) {
    const { tellUses } = await import('./action/tell-uses.ts');
    await tellUses(state, { env, workflow });
  }
  for (const problem of state ? await unloadKeys([state], { env, workflow }) : [])
    workflow.warn(`not everything could be undone: ${problem}`);
} catch (error) {
  warn(error);
}
process.exit(0);
