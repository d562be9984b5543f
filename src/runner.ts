/** The runner as main sees it: @actions/core and @actions/exec, and nobody else imports them. */
import * as core from '@actions/core';
import { getExecOutput } from '@actions/exec';
import type { Workflow } from './action/workflow.ts';
import { abortable } from './deadline.ts';
import { visible } from './keys/visible-text.ts';
import { ProgramNotFound, type Run } from './process/run.ts';

export const program = 'ssm-ssh-agent';

export const workflow: Workflow = {
  info: (line) => {
    core.info(visible(line));
  },
  warn: (message) => {
    core.warning(`${program}: ${visible(message)}`);
  },
  fail: (failure) => {
    core.error(failure.render(program), { title: failure.code });
  },
  mask: core.setSecret,
  exportVariable: core.exportVariable,
  addPath: core.addPath,
  setOutput: core.setOutput,
  // A runner without step summaries, and one whose summary is full, are no reason to fail.
  summarize: async (markdown) => {
    await core.summary.addRaw(markdown, true).write().catch(core.debug);
  },
  saveState: core.saveState,
};

/** What @actions/exec says of a program that it does not find, or that the system does not start. */
const notStarted = /^Unable to locate executable file|^There was an error when attempting to execute/;

/**
 * Silent. @actions/exec takes no signal: a program that outlasts the signal goes on, and is ended by the socket in its command line
 * (action/unload-keys.ts) or, with the job, by the runner.
 */
export const run: Run = async ([program, ...args], { env, signal }) => {
  const options = { env: { ...env }, silent: true, ignoreReturnCode: true };
  // It takes a command line, whose words are quoted by double quotes.
  const command = `"${program.replaceAll('"', '\\"')}"`;
  try {
    return await abortable(getExecOutput(command, args, options), signal);
  } catch (error) {
    if (!(error instanceof Error) || !notStarted.test(error.message)) throw error;
    throw new ProgramNotFound(`${program} is not on PATH`, { cause: error });
  }
};
